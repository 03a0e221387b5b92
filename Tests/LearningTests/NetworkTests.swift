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

    /// A stride of a patch folds it into channels in the order in which the head unfolds them.
    @Test func aStemThatMixesNothingIsUndoneByUnfolding() throws {
        let identity = (0..<24 * 24).map { Float($0 / 24 == $0 % 24 ? 1 : 0) }
        let input = try waveTensor([1, 3, 4, 6, 8], 0.3)
        let folded = try input.conv3d(Tensor(identity, shape: [24, 3, 2, 2, 2]), stride: [2, 2, 2])
        #expect(folded.shape == [1, 24, 2, 3, 4])
        expectClose(try folded.pixelShuffled([2, 2, 2]).floats(), try input.floats())
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
