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
    @Option(help: "Others: half of them choose rate and parameters, the other half tells the error.") var heldBack = 6
    @Option(help: "Presets of ours, separated by commas.") var presets = "standard"
    @Option(help: "Highest learning rates, separated by commas; of each network the best counts.") var rates =
        "0.001,0.003"
    @OptionGroup var output: OutputOptions

    private var peaks: [Double] { rates.split(separator: ",").compactMap { Double($0) } }

    func validate() throws {
        guard seconds > 0, cases > 0, heldBack > 1, !peaks.isEmpty, peaks.allSatisfy({ $0 > 0 }),
            peaks.count == rates.split(separator: ",").count
        else { throw ValidationError("times, cases and rates are positive numbers, --held-back two or more") }
        guard !rows.isEmpty, rows.count == presets.split(separator: ",").count else {
            throw ValidationError(
                "--presets are of \(ResidualUNetConfiguration.Preset.allCases.map(\.rawValue).joined(separator: ", "))")
        }
    }

    private var rows: [ResidualUNetConfiguration.Preset] {
        presets.split(separator: ",").compactMap { ResidualUNetConfiguration.Preset(rawValue: String($0)) }
    }

    /// A network that has not been trained.
    private struct Contestant {
        let name: String
        var isOurs = false
        let make: () throws -> StageOne
    }

    private struct Result {
        let name: String
        let isOurs: Bool
        let steps: Int
        let seconds: Double
        /// Relative error of the maps that choose, and of those that tell.
        let chosenBy, error: Double
    }

    func run() throws {
        try Device.configure(threadCount: MachinePeaks.threadCount)
        let recipe = SyntheticPatient.Recipe.evaluated(seed: 1001, suite: .hard)
        let dataset = try PersonalDataset(anatomy: try SyntheticPatient(recipe).anatomy(), site: recipe.site)
        let drawn = try (0..<cases + heldBack).map { number in
            Progress.step("possible map \(number + 1) of \(cases + heldBack)")
            return try dataset.draw(seed: UInt64(number))
        }
        let training = Array(drawn.prefix(cases))
        let choosing = Array(drawn.dropFirst(cases).prefix(heldBack / 2))
        let telling = Array(drawn.dropFirst(cases + heldBack / 2))
        let contestants = try contestants()
        let results = try contestants.compactMap { contestant in
            try peaks.compactMap { peak -> Result? in
                Progress.step("\(contestant.name), rate \(peak)")
                // A rate at which a network diverges is not its best one.
                do { return try train(contestant, peak: peak, training, choosing, telling) } catch LearningError
                    .notFinite
                { return nil }
            }.min { $0.chosenBy < $1.chosenBy }
        }
        let untrained = try contestants.first.map { try error($0.make(), telling) } ?? 0
        try report(results, untrained).print(as: output)
    }

    /// All begin with Stage 0's map. The usual networks take part with the convolutions that libtorch chooses and with ours.
    private func contestants() throws -> [Contestant] {
        let device = Device.best
        let type = DataType.bfloat16.computed(on: device)
        var contestants = rows.map { row in
            var settings = StageOne.Settings(row)
            settings.precision = type
            return Contestant(name: "\(row.rawValue), \(type.rawValue)", isOurs: true) { [settings] in
                try StageOne(settings, seed: 1, on: device)
            }
        }
        for isUsual in [true, false] {
            let with = isUsual ? "" : ", our convolutions"
            contestants += [
                Contestant(name: "full resolution, float32\(with)") {
                    let network = try FullResolutionUNet(inputChannels: inputs, outputChannels: 2, seed: 1, on: device)
                    try Self.set(network, "head") { _ in 0 }
                    return stageOne(network, isUsual) { (input) throws(LearningError) in try network(input) }
                },
                Contestant(name: "strided, float32\(with)") {
                    let network = try StridedUNet(inputChannels: inputs, outputChannels: 2, seed: 1, on: device)
                    // What the last convolution is added to it takes away again: minus one in the middle of its own channel's kernel.
                    try Self.set(network, "up.0.unit.convolution.0") {
                        $0 % (2 * 27) == ($0 / (2 * 27)) * 27 + 13 ? -1 : 0
                    }
                    return stageOne(network, isUsual) { (input) throws(LearningError) in try network(input) }
                },
            ]
        }
        return contestants
    }

    private var inputs: Int { StageOne.Settings(.standard).network.inputChannels }

    /// Stage 1 with a usual network in its place; those take whole multiples of eight voxels.
    private func stageOne(
        _ module: any Module, _ isUsual: Bool, _ network: @escaping (Tensor) throws(LearningError) -> Tensor
    ) -> StageOne {
        var settings = StageOne.Settings(.standard)
        settings.precision = .float32
        return StageOne(settings, module: module) { (input) throws(LearningError) in
            let extents = Array(input.shape.suffix(3))
            let padded = try input.paddedAtEnd(extents.map { (8 - $0 % 8) % 8 })
            let output =
                isUsual
                ? try Tensor.withUsualConvolutions { () throws(LearningError) in try network(padded) }
                : try network(padded)
            return try output.croppedAtEnd(to: extents)
        }
    }

    /// Gives a layer's weights by their number, and its offsets zero.
    private static func set(_ module: any Module, _ layer: String, _ weight: (Int) -> Float) throws {
        var values = try module.stored()
        for (name, value) in values where name.hasPrefix("\(layer).") {
            let count = value.shape.reduce(1, *)
            let floats = (0..<count).map { name.hasSuffix(".weight") ? weight($0) : 0 }
            values[name] = StoredTensor(floats: floats, shape: value.shape)
        }
        try module.load(values)
    }

    /// As many steps as fit into the time: how fast the rate falls depends on it. The first ones only tell how long a step takes.
    private func train(
        _ contestant: Contestant, peak: Double, _ training: [DrawnCase], _ choosing: [DrawnCase], _ telling: [DrawnCase]
    ) throws -> Result {
        let warm = try steps(try contestant.make(), peak: peak, count: 5, training)
        let count = max(2, Int((seconds / Timing.median(Array(warm.seconds.dropFirst()))).rounded()))
        let model = try contestant.make()
        let trained = try steps(model, peak: peak, count: count, training)
        var best = (chosenBy: try error(model, choosing), error: try error(model, telling))
        try model.module.load(trained.trainer.averagedParameters())
        let averaged = try error(model, choosing)
        if averaged < best.chosenBy { best = (averaged, try error(model, telling)) }
        return Result(
            name: contestant.name, isOurs: contestant.isOurs, steps: count, seconds: trained.seconds.reduce(0, +),
            chosenBy: best.chosenBy,
            error: best.error)
    }

    private func steps(
        _ model: StageOne, peak: Double, count: Int, _ training: [DrawnCase]
    ) throws -> (trainer: Trainer, seconds: [Double]) {
        let schedule = CosineSchedule(peak: peak, warmUpSteps: max(count / 20, 1), stepCount: count)
        var settings = Trainer.Settings(schedule: schedule)
        settings.averageDecay = ModelTraining.Plan().averageDecay
        let trainer = try Trainer(model.module, settings: settings, seed: 1)
        let seconds = try (0..<count).map { _ in
            try Timing.seconds {
                var generator = trainer.nextGenerator
                let drawn = training[Int.random(in: training.indices, using: &generator)]
                _ = try trainer.descend(model.loss(drawn.training, drawn.patient, using: &generator))
            }
        }
        return (trainer, seconds)
    }

    private func error(_ model: StageOne, _ cases: [DrawnCase]) throws -> Double {
        try cases.reduce(0) { try $0 + model.validationError($1.training, $1.patient, seed: 1).found }
            / Double(cases.count)
    }

    private func report(_ results: [Result], _ untrained: Double) -> Report {
        var report = Report("accuracy")
        func title(_ result: Result) -> String {
            "\(result.name), \(result.steps) steps in \(Int(result.seconds.rounded())) s"
        }
        for ours in results where ours.isOurs {
            for rival in results where !rival.isOurs {
                report.add(Figure("error of \(title(ours))", ours.error, "", beside: title(rival), rival.error))
            }
            report.add(Figure("error of \(title(ours))", ours.error, "", beside: "Stage 0, where all begin", untrained))
        }
        report.note(
            "Relative error of \(heldBack - heldBack / 2) possible maps of one patient after training on \(cases) others; losses, cases "
                + "and pieces alike; the best of the rates \(rates) and of the last and the averaged parameters on \(heldBack / 2) more."
        )
        return report
    }
}
