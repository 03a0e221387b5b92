import Learning
import Testing

struct NetworkTests {
    init() { #expect(configured) }

    @Test(arguments: ResidualUNetConfiguration.Preset.allCases)
    func untrainedNetworkReturnsZeroOfTheInputsExtents(_ preset: ResidualUNetConfiguration.Preset) throws {
        let network = try ResidualUNet(.init(preset, inputChannels: 3), seed: 1)
        let output = try network(waveTensor([1, 3, 9, 6, 10], 0.3))
        #expect(output.shape == [1, 2, 9, 6, 10] && output.dataType == .float32)
        #expect(try output.floats().allSatisfy { $0 == 0 })
    }

    /// A stem that reads one weight alone answers to one voxel of the patch alone: what trained files mean by their order.
    @Test(arguments: [0, 1, 2, 4, 8, 15]) func theStemReadsChannelsThenDepthThenRowsThenColumns(_ index: Int) throws {
        let network = try ResidualUNet(.init(.small, inputChannels: 2), seed: 1)
        try scramble(network)
        let stem = try #require(network.parameters.first { $0.name == "stem.weight" }).tensor
        let one = (0..<stem.count).map { Float($0 % 16 == index ? 1 + $0 / 16 : 0) }
        try stem.assign(Tensor(one, shape: stem.shape))
        let extents = [2, 8, 8, 8]
        func answer(_ values: [Float]) throws -> [Float] { try network(Tensor(values, shape: [1] + extents)).floats() }
        let none = try answer([Float](repeating: 0, count: 1024))
        for other in 0..<16 {
            var values = [Float](repeating: 0, count: 1024)
            // The patch in the middle.
            let (z, y, x) = (4 + other / 4 % 2, 4 + other / 2 % 2, 4 + other % 2)
            values[other / 8 * 512 + z * 64 + y * 8 + x] = 1
            let change = zip(try answer(values), none).map { abs($0 - $1) }.max()!
            #expect((change > 1e-3) == (other == index), "\(other): \(change)")
        }
    }

    @Test func seedDecidesTheStart() throws {
        let configuration = ResidualUNetConfiguration(.small, inputChannels: 2)
        func stem(_ seed: UInt64) throws -> [Float] {
            try ResidualUNet(configuration, seed: seed).parameters[0].tensor.floats()
        }
        #expect(try stem(3) == stem(3))
        #expect(try stem(3) != stem(4))
    }

    @Test func namesAreUnique() throws {
        let network = try ResidualUNet(.init(.standard, inputChannels: 2, embeddingChannels: 16), seed: 1)
        #expect(Set(network.parameters.map(\.name)).count == network.parameters.count)
    }

    @Test func noiseLevelChangesTheAnswer() throws {
        var configuration = ResidualUNetConfiguration(.small, inputChannels: 1, outputChannels: 1, embeddingChannels: 8)
        configuration.channels = [8, 8, 8]
        let network = try ResidualUNet(configuration, seed: 1)
        try scramble(network)
        let input = try waveTensor([2, 1, 8, 8, 8], 0.3)
        let first = try network(input, noiseLevel: Tensor([0, 0.5], shape: [2])).floats()
        let second = try network(input, noiseLevel: Tensor([0, 0.1], shape: [2])).floats()
        expectClose(Array(first[..<512]), Array(second[..<512]))
        #expect(zip(first[512...], second[512...]).contains { abs($0 - $1) > 1e-3 })
    }

    @Test func bfloat16StaysNearFloat32() throws {
        let network = try ResidualUNet(.init(.small, inputChannels: 2), seed: 1)
        try scramble(network)
        for parameter in network.parameters where parameter.tensor.rank == 5 {
            try parameter.tensor.assign(parameter.tensor.detached() * 0.2)
        }
        let input = try waveTensor([1, 2, 8, 8, 8], 0.3)
        let exact = try network(input).floats()
        let fast = try withAutocast(.bfloat16, on: .cpu) { () throws(LearningError) in try network(input) }.floats()
        let scale = exact.map(abs).max()!
        let error = zip(exact, fast).map { abs($0 - $1) }.max()!
        // Eight bits of mantissa, some ten roundings deep.
        #expect(error < 0.05 * scale && error > 0)
    }

    @Test func rivalsHaveTheirShapes() throws {
        let input = try waveTensor([1, 3, 16, 8, 16], 0.3)
        #expect(try StridedUNet(inputChannels: 3, outputChannels: 2, seed: 1)(input).shape == [1, 2, 16, 8, 16])
        #expect(try FullResolutionUNet(inputChannels: 3, outputChannels: 2, seed: 1)(input).shape == [1, 2, 16, 8, 16])
    }

    @Test func refusesImpossibleSettings() throws {
        var configuration = ResidualUNetConfiguration(.standard, inputChannels: 2)
        configuration.channels = [64, 96, 100_000]
        #expect(throws: LearningError.impossibleConfiguration(field: "channels")) {
            try ResidualUNet(configuration, seed: 1)
        }
        configuration.channels = [60, 96, 128]
        #expect(throws: LearningError.impossibleConfiguration(field: "groups")) {
            try ResidualUNet(configuration, seed: 1)
        }
    }

    @Test func errorsOfLibtorchAreTyped() throws {
        #expect {
            try Tensor.zeros([2, 3]) + Tensor.zeros([2, 4])
        } throws: { error in
            guard case .tensorOperation("add", let reason)? = error as? LearningError else { return false }
            return reason.contains("must match")
        }
        #expect(throws: LearningError.valueCountMismatch(expected: 6, found: 5)) {
            try Tensor([1, 2, 3, 4, 5], shape: [2, 3])
        }
    }
}
