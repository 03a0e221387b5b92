import DICOM
import Imaging

/// A small synthetic patient, asymmetric in every direction, so that no flip goes unseen.
enum SyntheticPatient {
    static let administered = LocalTimestamp(year: 2025, month: 10, day: 31, secondsOfDay: 36_000)
    static let nmStudy = SyntheticStudy(
        seed: 7, name: "nm", description: "Planar",
        startedAt: LocalTimestamp(year: 2025, month: 11, day: 1, secondsOfDay: 36_930.25))
    static let petStudy = SyntheticStudy(
        seed: 7, name: "petct", description: "PET/CT",
        startedAt: LocalTimestamp(year: 2025, month: 10, day: 2, secondsOfDay: 30_000))

    static let peak = EnergyWindow(lower: 187.2, upper: 228.8)
    static let lowerScatter = EnergyWindow(lower: 166.4, upper: 187.2)
    static let upperScatter = EnergyWindow(lower: 228.8, upper: 249.6)
    static let camera = Equipment(manufacturer: "Maker", model: "Model", station: "CAM1")

    /// A spot at column x, row z above a gradient that differs for every window and side.
    static func view(
        _ direction: ViewDirection, _ window: EnergyWindow, columns: Int = 12, rows: Int = 20, dwell: Double = 193.5
    ) throws -> PlanarView {
        let level: Float = window == peak ? 100 : window == lowerScatter ? 30 : 10
        var counts = (0..<columns * rows).map { index in
            Float(index % columns) * 3 + Float(index / columns) + level + (direction == .anterior ? 0 : 5)
        }
        counts[16 * columns + 2] = level * 20
        counts[3 * columns + 9] = level * 9
        return try PlanarView(
            direction: direction, window: window, columns: columns, rows: rows, spacing: SIMD2(4.8, 4.7),
            origin: SIMD2(-30, 12), dwellSeconds: dwell, radialPositionMillimetres: 150,
            facePositionMillimetres: direction == .anterior ? -150 : 150, counts: counts)
    }

    /// The scatter windows come first, so that nothing works by position.
    static func acquisition(_ kind: PlanarStudy.Acquisition = .wholeBody) throws -> PlanarAcquisition {
        var views: [PlanarView] = []
        for window in [lowerScatter, peak, upperScatter] {
            for direction in ViewDirection.allCases { views.append(try view(direction, window)) }
        }
        return PlanarAcquisition(
            acquisition: kind, views: views,
            administration: Administration(megabecquerels: 7400, startedAt: administered), equipment: camera)
    }

    static func nm(_ kind: PlanarStudy.Acquisition = .wholeBody) throws -> Dataset {
        try PlanarWriter.dataset(acquisition(kind), study: nmStudy)
    }

    static func volume(columns: Int = 8, rows: Int = 6, slices: Int = 5, from base: Float = -900) throws -> Volume<
        Float
    > {
        let grid = try VoxelGrid(
            columns: columns, rows: rows, slices: slices, spacing: SIMD3(2, 2, 3), origin: SIMD3(-7.5, -12.25, 100))
        return try Volume(grid: grid, voxels: (0..<grid.voxelCount).map { base + Float($0 * 7 % 1013) })
    }

    static let structures = StructureSet(regions: [
        .init(
            name: "Liver",
            contours: [100.0, 103, 106].map { z in [SIMD3(-5, -10, z), SIMD3(2.5, -10, z), SIMD3(2.5, -4, z)] }),
        .init(name: "Kidney left", contours: [[SIMD3(0, 0, 103), SIMD3(1, 0, 103), SIMD3(1, 1.125, 103)]]),
    ])

    static func doseContext(
        ctGrid: VoxelGrid? = nil, plan: RTDoseContext.Plan = .minimal, storage: EncodedDose.Storage = .sixteen,
        sources: [SourceReference] = [], job: String = "job 1"
    ) -> RTDoseContext {
        RTDoseContext(
            frameOfReferenceUID: petStudy.frameOfReferenceUID, ctGrid: ctGrid, plan: plan, sources: sources,
            provenance: Provenance(
                version: "1.2.3", commit: "0123abc", modelHash: "aa11", recipeHash: "bb22", seed: 42),
            storage: storage, createdAt: LocalTimestamp(year: 2025, month: 11, day: 1, secondsOfDay: 40_000),
            uids: UIDGenerator(namespace: job))
    }
}
