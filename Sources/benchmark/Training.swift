import ArgumentParser
import Learning
import Reconstruction

/// A training step of our networks beside two usual ones, with the same library, grid and machine.
struct Training: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Seconds per training step of our networks beside usual U-Nets.")

    @Option(help: "Voxels along z, y and x, separated by commas.") var grid = "112,40,64"
    @Option(help: "Rounds; every network takes its turn in each.") var rounds = 2
    @Option(help: "Presets of ours, separated by commas.")
    var presets = ResidualUNetConfiguration.Preset.allCases.map(\.rawValue).joined(separator: ",")
    @OptionGroup var output: OutputOptions

    private static let inputChannels = StageOne.Settings(.standard).network.inputChannels
    private static let rivals = ["full resolution", "strided"]
    /// The rivals with our convolutions, which small images are several times as fast with.
    private static let faster = rivals.map { "\($0), our convolutions" }

    /// One network in training.
    private struct Contestant {
        let name: String
        let type: DataType
        let cost: TrainingCost
        let step: () throws -> Void
        var seconds: [Double] = []

        /// - Units: GFLOP/s.
        var speed: Double { cost.operations / Timing.median(seconds) / 1e9 }
    }

    /// The same library's product of two square matrices: what its processors reach at best in a type.
    private struct MatrixProduct {
        static let size = 2048
        private let a, b: Tensor

        init(_ type: DataType) throws {
            var generator = StepGenerator(seed: 1)
            a = try Tensor.randn([Self.size, Self.size], using: &generator).converted(to: type)
            b = try Tensor.randn([Self.size, Self.size], using: &generator).converted(to: type)
        }

        /// - Units: GFLOP/s.
        func measure() throws -> Double {
            let seconds = try Timing.seconds { _ = try a.matmul(b) }
            let n = Double(Self.size)
            return 2 * n * n * n / seconds / 1e9
        }
    }

    private var extents: [Int] { grid.split(separator: ",").compactMap { Int($0) } }

    func validate() throws {
        guard extents.count == 3, extents.allSatisfy({ $0 > 0 && $0 % 8 == 0 }), rounds > 0 else {
            throw ValidationError("--grid takes three positive multiples of 8, --rounds a positive number")
        }
    }

    func run() throws {
        try Device.configure(threadCount: MachinePeaks.threadCount)
        let type = DataType.bfloat16.computed(on: .cpu)
        var contestants = try makeRivals()
        for name in presets.split(separator: ",").map(String.init) {
            guard let preset = ResidualUNetConfiguration.Preset(rawValue: name) else {
                throw ValidationError("no preset \(name)")
            }
            contestants.append(try makeOurs(preset, type))
        }
        let products = try [DataType.float32, type].map { (type: $0, product: try MatrixProduct($0)) }
        var peaks: [DataType: [Double]] = [:]
        // The first round warms up and is not counted.
        for round in 0...rounds {
            for index in contestants.indices {
                Progress.step("\(contestants[index].name), round \(round) of \(rounds)")
                let seconds = try Timing.seconds { try contestants[index].step() }
                if round > 0 { contestants[index].seconds.append(seconds) }
            }
            for (type, product) in products {
                let speed = try product.measure()
                if round > 0 { peaks[type, default: []].append(speed) }
            }
        }
        try report(contestants, peaks: peaks.mapValues(Timing.median)).print(as: output)
    }

    private func report(_ contestants: [Contestant], peaks: [DataType: Double]) -> Report {
        var report = Report("training")
        let rivals = Self.rivals + Self.faster
        for ours in contestants where !rivals.contains(ours.name) {
            for rival in contestants where rivals.contains(rival.name) {
                report.add(
                    Figure(
                        "step of \(ours.name), \(ours.type.rawValue)", Timing.median(ours.seconds), "s",
                        beside: "\(rival.name), \(rival.type.rawValue)", Timing.median(rival.seconds)))
            }
        }
        for contestant in contestants {
            report.add(
                Figure(
                    "arithmetic of \(contestant.name), \(contestant.type.rawValue)", contestant.speed, "GFLOP/s",
                    beside: "matrix product, \(contestant.type.rawValue)", peaks[contestant.type] ?? .nan))
        }
        report.note(
            "Grid \(grid), \(Self.inputChannels) channels in, one sample: forward, backward from a squared error, AdamW and average; "
                + "libtorch on 2 threads.")
        report.note("Full resolution: as nnU-Net and DynUNet, 16-32-64-128. Strided: as MONAI's UNet, 16-32-64-128.")
        report.note(
            "Both with the convolutions that libtorch chooses, and with ours, which are oneDNN's for every size; their transposed ones are "
                + "libtorch's either way.")
        report.note(
            "Operations: two per product of the convolutions, forward once and backward twice. Matrix product: of two "
                + "square ones with \(MatrixProduct.size) rows.")
        return report
    }

    private func makeRivals() throws -> [Contestant] {
        let full = try FullResolutionUNet(inputChannels: Self.inputChannels, outputChannels: 2, seed: 1)
        let strided = try StridedUNet(inputChannels: Self.inputChannels, outputChannels: 2, seed: 1)
        let networks: [(module: any Module, cost: TrainingCost, forward: (Tensor) throws(LearningError) -> Tensor)] = [
            (full, .fullResolution(full, extents), { (input) throws(LearningError) in try full(input) }),
            (strided, .strided(strided, extents), { (input) throws(LearningError) in try strided(input) }),
        ]
        return try zip(networks, zip(Self.rivals, Self.faster)).flatMap { network, names in
            [
                try make(names.0, network.module, .float32, network.cost) { (input) throws(LearningError) in
                    try Tensor.withUsualConvolutions { () throws(LearningError) in try network.forward(input) }
                },
                try make(names.1, network.module, .float32, network.cost, network.forward),
            ]
        }
    }

    private func makeOurs(_ preset: ResidualUNetConfiguration.Preset, _ type: DataType) throws -> Contestant {
        let network = try ResidualUNet(ResidualUNetConfiguration(preset, inputChannels: Self.inputChannels), seed: 1)
        return try make(preset.rawValue, network, type, .residual(network, extents)) {
            (input) throws(LearningError) in try network(input)
        }
    }

    private func make(
        _ name: String, _ module: any Module, _ type: DataType, _ cost: TrainingCost,
        _ forward: @escaping (Tensor) throws(LearningError) -> Tensor
    ) throws -> Contestant {
        var generator = StepGenerator(seed: 1)
        let input = try Tensor.randn([1, Self.inputChannels] + extents, using: &generator)
        let target = try Tensor.randn([1, 2] + extents, using: &generator)
        let trainer = try Trainer(
            module, settings: .init(schedule: .init(peak: 1e-4, warmUpSteps: 0, stepCount: rounds + 1)), seed: 1)
        return Contestant(name: name, type: type, cost: cost) {
            let output = try withAutocast(type, on: .cpu) { () throws(LearningError) in try forward(input) }
            _ = try trainer.descend((output - target).squared().mean())
        }
    }
}
