import Glibc
import Learning
import Testing

struct TrainingTests {
    init() { #expect(configured) }

    private static let shape = [1, 2, 8, 4, 8]

    private static func network(seed: UInt64 = 1) throws(LearningError) -> ResidualUNet {
        var configuration = ResidualUNetConfiguration(inputChannels: 2)
        (configuration.channels, configuration.groups) = ([8, 16], 4)
        (configuration.encoderBlocks, configuration.decoderBlocks) = ([1, 1], [1])
        return try ResidualUNet(configuration, seed: seed)
    }

    private static func trainer(_ network: ResidualUNet, seed: UInt64 = 7) throws(LearningError) -> Trainer {
        let schedule = CosineSchedule(peak: 1e-2, warmUpSteps: 2, stepCount: 12)
        return try Trainer(network, settings: .init(schedule: schedule), seed: seed)
    }

    /// Learns to return the mean of its two channels; half of it in bfloat16.
    private static func step(_ network: ResidualUNet, _ trainer: Trainer) throws(LearningError) -> Trainer.StepReport {
        var generator = trainer.nextGenerator
        let clean = try Tensor.randn(shape, using: &generator)
        let noisy = try clean + Tensor.randn(shape, using: &generator) * 0.1
        let output = try withAutocast(trainer.step % 2 == 0 ? .bfloat16 : .float32, on: .cpu) {
            () throws(LearningError) in try network(noisy)
        }
        return try trainer.descend((output - clean.mean([1], keepingDimensions: true)).squared().mean())
    }

    private static func run(_ steps: Int, interruptedAt interruption: Int? = nil) throws -> [UInt8] {
        var network = try network()
        var trainer = try trainer(network)
        for index in 0..<steps {
            if index == interruption {
                let bytes = try trainer.state(metadata: ["recipe": "test"]).file.encoded()
                // Another start: everything must come from the bytes.
                network = try Self.network(seed: 99)
                trainer = try Self.trainer(network)
                let state = try TrainingState(Safetensors(decoding: bytes))
                #expect(state.metadata == ["recipe": "test"] && state.step == index)
                try trainer.resume(state)
            }
            _ = try step(network, trainer)
        }
        return try trainer.state().file.encoded()
    }

    @Test func repeatsBitForBit() throws {
        #expect(try Self.run(6) == Self.run(6))
    }

    @Test func resumesAsIfNeverInterrupted() throws {
        #expect(try Self.run(8) == Self.run(8, interruptedAt: 5))
    }

    @Test func learns() throws {
        let network = try Self.network()
        let schedule = CosineSchedule(peak: 1e-2, warmUpSteps: 2, stepCount: 300)
        let trainer = try Trainer(network, settings: .init(schedule: schedule), seed: 7)
        let first = try Self.step(network, trainer)
        var last = first
        for _ in 1..<300 { last = try Self.step(network, trainer) }
        #expect(last.step == 300 && last.loss < 0.5 * first.loss, "from \(first.loss) to \(last.loss)")
    }

    @Test func refusesToResumeSomethingElse() throws {
        let network = try Self.network()
        let state = try Self.trainer(network).state()
        #expect(throws: LearningError.metadataInvalid(key: "seed")) { try Self.trainer(network, seed: 8).resume(state) }
        var wider = network.configuration
        wider.channels = [8, 24]
        let other = try Trainer(
            ResidualUNet(wider, seed: 1), settings: Self.trainer(network).settings, seed: 7)
        #expect {
            try other.resume(state)
        } throws: { error in
            if case .parameterShapeMismatch? = error as? LearningError { true } else { false }
        }
    }

    @Test func refusesAStateWithoutItsKeys() throws {
        var file = try Self.trainer(Self.network()).state().file
        file.metadata["step"] = "-3"
        #expect(throws: LearningError.metadataInvalid(key: "step")) { try TrainingState(file) }
        file.metadata["step"] = nil
        #expect(throws: LearningError.metadataMissing(key: "step")) { try TrainingState(file) }
    }

    @Test func refusesALossThatIsNotANumberAndKeepsTheParameters() throws {
        let network = try Self.network()
        let trainer = try Self.trainer(network)
        let before = try network.stored()
        let loss = try network(Tensor.full(.nan, Self.shape)).sum() + network.parameters[0].tensor.sum()
        #expect(throws: LearningError.notFinite(quantity: "loss", step: 0)) { try trainer.descend(loss * .nan) }
        #expect(try network.stored() == before)
    }

    @Test func refusesCheckpointsOfAnotherNetwork() throws {
        let network = try Self.network()
        var values = try network.stored(as: .bfloat16)
        values["extra"] = StoredTensor(floats: [1], shape: [1])
        #expect(throws: LearningError.parameterUnknown(name: "extra")) { try network.load(values) }
        values["extra"] = nil
        values["head.weight"] = nil
        #expect(throws: LearningError.parameterMissing(name: "head.weight")) { try network.load(values) }
    }

    @Test func averageFollowsTheParameters() throws {
        let network = try Self.network()
        let trainer = try Self.trainer(network)
        let start = try network.stored()["head.weight"]?.floats()
        for _ in 0..<3 { _ = try Self.step(network, trainer) }
        let end = try #require(try network.stored()["head.weight"]).floats()
        let average = try #require(try trainer.averagedParameters()["head.weight"]).floats()
        #expect(average != start && average != end)
        #expect(average.map(abs).max()! <= end.map(abs).max()! * 1.5)
    }

    @Test func scheduleRisesThenFalls() {
        let schedule = CosineSchedule(peak: 2, warmUpSteps: 4, stepCount: 14, finalFraction: 0.1)
        #expect(schedule.rate(at: 0) == 0.5 && schedule.rate(at: 3) == 2 && schedule.rate(at: 4) == 2)
        #expect(abs(schedule.rate(at: 9) - 1.1) < 1e-12)
        #expect(abs(schedule.rate(at: 14) - 0.2) < 1e-12 && schedule.rate(at: 99) == schedule.rate(at: 14))
    }

    /// In a process of its own, where no other test allocates.
    @Test func memoryDoesNotGrow() async {
        await #expect(processExitsWith: .success) {
            try #require(configured)
            let network = try Self.network()
            let trainer = try Self.trainer(network)
            for _ in 0..<40 { _ = try Self.step(network, trainer) }
            let before = try Self.residentBytes()
            for _ in 0..<200 { _ = try Self.step(network, trainer) }
            // The output of one step alone is 2 kB and its graph over 200 kB.
            try #require(Self.residentBytes() - before < 4 << 20)
        }
    }

    private static func residentBytes() throws -> Int {
        let file = try #require(fopen("/proc/self/statm", "r"))
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 128)
        try #require(fgets(&buffer, 128, file) != nil)
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return try #require(Int(text.split(separator: " ")[1])) * Int(getpagesize())
    }
}
