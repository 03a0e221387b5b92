import Anatomy
import ArgumentParser
import Learning
import Reconstruction

/// How good Stage 1 is with our network and with usual ones after the same time of training: what a faster step is worth.
struct TrainingAccuracy: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accuracy",
        abstract: "Held-back error of Stage 1 with our network and with usual U-Nets after the same time of training.")

    @Option(help: "Seconds of training for each network.") var seconds = 120.0
    @Option(help: "Possible maps of the patient to train on.") var cases = 12
    @Option(help: "Others that tell the error.") var heldBack = 3
    @Option(help: "Preset of ours.") var preset = "standard"
    @Option(help: "Highest learning rates, separated by commas; of each network the best counts.") var rates =
        "0.001,0.003"
    @OptionGroup var output: OutputOptions

    private var peaks: [Double] { rates.split(separator: ",").compactMap { Double($0) } }

    func validate() throws {
        guard seconds > 0, cases > 0, heldBack > 0, !peaks.isEmpty, peaks.allSatisfy({ $0 > 0 }) else {
            throw ValidationError("times, cases and rates are positive numbers")
        }
    }

    /// A network that has not been trained.
    private struct Contestant {
        let name: String
        let make: () throws -> StageOne
    }

    private struct Result {
        let name: String
        let steps: Int
        let error: Double
    }

    func run() throws {
        try Device.configure(threadCount: MachinePeaks.threadCount)
        let recipe = SyntheticPatient.Recipe.evaluated(seed: 1001, suite: .hard)
        let dataset = try PersonalDataset(anatomy: try SyntheticPatient(recipe).anatomy(), site: recipe.site)
        let drawn = try (0..<cases + heldBack).map { number in
            Progress.step("possible map \(number + 1) of \(cases + heldBack)")
            return try dataset.draw(seed: UInt64(number))
        }
        let (training, others) = (Array(drawn.prefix(cases)), Array(drawn.dropFirst(cases)))
        var initial = 0.0
        var results: [Result] = []
        for contestant in try contestants() {
            let trained = try peaks.map { peak in
                Progress.step("\(contestant.name), rate \(peak)")
                let model = try contestant.make()
                if initial == 0 { initial = try error(model, others) }
                return try train(contestant, peak: peak, training, others)
            }
            if let best = trained.min(by: { $0.error < $1.error }) { results.append(best) }
        }
        try report(results, initial).print(as: output)
    }

    private func contestants() throws -> [Contestant] {
        let type: DataType = Device.cpu.multipliesBFloat16 ? .bfloat16 : .float32
        guard let preset = ResidualUNetConfiguration.Preset(rawValue: preset) else {
            throw ValidationError("no preset \(preset)")
        }
        var ours = StageOne.Settings(preset)
        ours.precision = type
        var usual = StageOne.Settings(preset)
        usual.precision = .float32
        let inputs = usual.network.inputChannels
        return [
            Contestant(name: "\(preset.rawValue), \(type.rawValue)") { try StageOne(ours, seed: 1) },
            Contestant(name: "full resolution, float32") {
                let network = try FullResolutionUNet(inputChannels: inputs, outputChannels: 2, seed: 1)
                return StageOne(usual, module: network) { (input) throws(LearningError) in
                    try Self.padded(input) { (input) throws(LearningError) in try network(input) }
                }
            },
            Contestant(name: "strided, float32") {
                let network = try StridedUNet(inputChannels: inputs, outputChannels: 2, seed: 1)
                return StageOne(usual, module: network) { (input) throws(LearningError) in
                    try Self.padded(input) { (input) throws(LearningError) in try network(input) }
                }
            },
        ]
    }

    /// Usual networks take whole multiples of eight voxels, and begin with a random map: a tenth of it is nearer to none.
    private static func padded(
        _ input: Tensor, _ network: (Tensor) throws(LearningError) -> Tensor
    ) throws(LearningError) -> Tensor {
        let extents = Array(input.shape.suffix(3))
        let whole = try network(input.paddedAtEnd(extents.map { (8 - $0 % 8) % 8 }))
        return try whole.croppedAtEnd(to: extents) * 0.1
    }

    private func train(
        _ contestant: Contestant, peak: Double, _ training: [DrawnCase], _ others: [DrawnCase]
    ) throws -> Result {
        // How many steps fit decides how the rate falls; the first step warms up.
        var warm: [Double] = []
        _ = try steps(try contestant.make(), peak: peak, count: 3, training) { warm.append($0) }
        let count = max(2, Int(seconds / Timing.median(Array(warm.dropFirst()))))
        let model = try contestant.make()
        var spent = 0.0
        let (trainer, taken) = try steps(model, peak: peak, count: count, training) { spent += $0 }
        let last = try error(model, others)
        try model.module.load(trainer.averagedParameters())
        return Result(name: contestant.name, steps: taken, error: min(last, try error(model, others)))
    }

    /// Trains until the steps or the seconds are over.
    private func steps(
        _ model: StageOne, peak: Double, count: Int, _ training: [DrawnCase], spent: (Double) -> Void
    ) throws -> (trainer: Trainer, taken: Int) {
        let schedule = CosineSchedule(peak: peak, warmUpSteps: max(count / 20, 1), stepCount: count)
        let trainer = try Trainer(model.module, settings: .init(schedule: schedule), seed: 1)
        var total = 0.0
        var taken = 0
        while taken < count, total < seconds {
            let took = try Timing.seconds {
                var generator = trainer.nextGenerator
                let drawn = training[Int.random(in: training.indices, using: &generator)]
                _ = try trainer.descend(model.loss(drawn.training, drawn.patient, using: &generator))
            }
            total += took
            taken += 1
            spent(took)
        }
        return (trainer, taken)
    }

    private func error(_ model: StageOne, _ cases: [DrawnCase]) throws -> Double {
        try cases.reduce(0) { try $0 + model.validationError($1.training, $1.patient, seed: 1).found }
            / Double(cases.count)
    }

    private func report(_ results: [Result], _ initial: Double) -> Report {
        var report = Report("accuracy")
        guard let ours = results.first else { return report }
        let name = "error of \(ours.name), \(ours.steps) steps"
        for rival in results.dropFirst() {
            report.add(Figure(name, ours.error, "", beside: "\(rival.name), \(rival.steps) steps", rival.error))
        }
        report.add(Figure(name, ours.error, "", beside: "Stage 0", initial))
        report.note(
            "Relative error of \(heldBack) held-back maps of one patient after \(Int(seconds)) s of training on \(cases) others, "
                + "from nothing; losses, cases and pieces alike, the best of the rates \(rates), of the last and the averaged parameters."
        )
        return report
    }
}
