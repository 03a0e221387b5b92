// swift-tools-version: 6.2
import PackageDescription

// libtorch lies where `deploy/install` put it, or where TORCH_HOME points.
let torch = Context.environment["TORCH_HOME"] ?? "\(Context.packageDirectory)/.deps/libtorch"

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .treatAllWarnings(as: .error),
]
// Voxel loops index unsafe buffers that their callers have sized; bounds checks there cost a factor of two.
let numeric = strict + [.unsafeFlags(["-Ounchecked"], .when(configuration: .release))]
// Tests that only wait and compare compile in a fraction of the time; those with sums over voxels need the optimiser.
let asserting = strict + [.unsafeFlags(["-Onone"], .when(configuration: .release))]
let strictCXX: [CXXSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]
let strictC: [CSetting] = [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])]

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

func core(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: numeric)
}

func adapter(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(
    of name: String, _ dependencies: [Target.Dependency] = [], settings: [SwiftSetting] = asserting
) -> Target {
    .testTarget(
        name: "\(name)Tests", dependencies: [.target(name: name), "TestSupport"] + dependencies,
        swiftSettings: settings)
}

let package = Package(
    name: "scintivol",
    products: [
        .executable(name: "scintivol", targets: ["scintivol"]),
        .executable(name: "benchmark", targets: ["benchmark"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C: the libraries, each behind one header.
        .target(
            name: "CDCMTK", cxxSettings: strictCXX,
            linkerSettings: [
                .linkedLibrary("dcmnet"), .linkedLibrary("dcmdata"), .linkedLibrary("oflog"), .linkedLibrary("ofstd"),
                .linkedLibrary("dcmjpeg"), .linkedLibrary("dcmjpls"), .linkedLibrary("ssl"), .linkedLibrary("crypto"),
            ]),
        .target(
            name: "CTorch",
            cxxSettings: strictCXX + [
                .unsafeFlags([
                    "-isystem", "\(torch)/include", "-isystem", "\(torch)/include/torch/csrc/api/include",
                ])
            ],
            linkerSettings: [
                .unsafeFlags(["-L\(torch)/lib", "-Xlinker", "-rpath", "-Xlinker", "\(torch)/lib"]),
                .linkedLibrary("torch_cpu"), .linkedLibrary("c10"),
            ]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq"),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl"),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib"),
        .target(name: "CSockets", cSettings: strictC),
        .target(
            name: "CBuild",
            cSettings: strictC + [
                .define("SCINTIVOL_COMMIT", to: "\"\(Context.gitInformation?.currentCommit ?? "unknown")\"")
            ]),

        // Core: no I/O, no clock, no global state.
        core("Imaging"),
        core("Tomography", ["Imaging", "COpenBLAS"]),
        core("Anatomy", ["Imaging"]),
        core("Learning", ["Imaging", "CTorch"]),
        core("Dosimetry", ["Imaging"]),
        core("Reconstruction", ["Imaging", "Tomography", "Anatomy", "Learning", "COpenBLAS"]),

        // Adapters: one protocol each.
        adapter("DICOM", ["CDCMTK", "Imaging"]),
        adapter("Postgres", ["CPostgres"], resources: [.embedInCode("Migrations")]),
        adapter("Jobs", ["Postgres"]),
        adapter("HTTP", ["CSockets", "COpenSSL"]),

        // Application.
        adapter(
            "DoseService",
            [
                "Imaging", "Tomography", "Anatomy", "Learning", "Dosimetry", "Reconstruction", "DICOM", "Postgres",
                "Jobs", "HTTP", "COpenSSL", "CZlib", "CBuild", logging,
            ],
            // A folder beside the program, `scintivol_DoseService.resources`.
            resources: [.copy("Models/population.safetensors")]),
        .executableTarget(
            name: "scintivol",
            dependencies: ["Anatomy", "DoseService", "HTTP", "Jobs", "Reconstruction", argumentParser, logging],
            swiftSettings: strict),
        .executableTarget(
            name: "benchmark",
            dependencies: [
                "Imaging", "Tomography", "Anatomy", "Learning", "Dosimetry", "Reconstruction", "DICOM", "Postgres",
                "Jobs", "HTTP", "DoseService", "COpenBLAS", argumentParser,
            ],
            swiftSettings: numeric),

        .target(
            name: "TestSupport", dependencies: ["Postgres", "Anatomy", "Imaging"], path: "Tests/TestSupport",
            swiftSettings: strict),
        tests(of: "Imaging", settings: strict), tests(of: "Tomography", ["Imaging"], settings: strict),
        tests(of: "Anatomy", ["Imaging"], settings: strict), tests(of: "Learning", settings: strict),
        tests(of: "Dosimetry", ["Imaging"], settings: strict),
        tests(of: "Reconstruction", ["Imaging", "Tomography", "Anatomy", "Learning"], settings: strict),
        tests(of: "DICOM", ["Imaging"]), tests(of: "Postgres"), tests(of: "Jobs", ["Postgres"]), tests(of: "HTTP"),
        tests(of: "DoseService", ["DICOM", "HTTP", "Imaging", "Jobs", "Postgres", logging]),
    ],
    cxxLanguageStandard: .cxx20
)
