import Learning
import TestSupport
import Testing

/// An operation on one tensor of six elements, to be differentiated.
struct Operation: Sendable, CustomTestStringConvertible {
    typealias Body = @Sendable (Tensor) throws -> Tensor
    let testDescription: String
    /// Keeps arguments where the operation is smooth.
    let shift: Float
    let body: Body

    init(_ name: String, shift: Float = 0, _ body: @escaping Body) {
        (testDescription, self.shift, self.body) = (name, shift, body)
    }

    static let all: [Operation] = [
        Operation("add") { try $0 + $0 * $0 }, Operation("subtract") { try 2 - $0 - $0.squared() },
        Operation("divide", shift: 3) { try 1 / $0 + $0 / ($0 + 1) }, Operation("negate") { try -$0 },
        Operation("broadcast") { try $0.reshaped([2, 3]) * $0.reshaped([2, 3]).slice(0, 0..<1) },
        Operation("exp") { try $0.exp() }, Operation("log", shift: 3) { try $0.log() },
        Operation("sqrt", shift: 3) { try $0.sqrt() }, Operation("absolute", shift: -3) { try $0.abs() },
        Operation("sine") { try $0.sin() },
        Operation("cosine") { try $0.cos() }, Operation("tanh") { try $0.tanh() },
        Operation("softplus") { try $0.softplus() },
        Operation("silu") { try $0.silu() }, Operation("relu", shift: 0.05) { try $0.relu() },
        Operation("leaky relu", shift: 0.05) { try $0.leakyRelu(0.1) },
        Operation("clamp", shift: 0.05) { try $0.clamped(0...10) },
        Operation("mean") { try $0.reshaped([2, 3]).squared().mean([1]) },
        Operation("matmul") { try $0.reshaped([2, 3]).matmul($0.reshaped([3, 2])) },
        Operation("permute") { try $0.reshaped([1, 2, 3]).permuted([2, 0, 1]).squared() },
        Operation("concatenate") { try Tensor.concatenated([$0, $0.squared()], along: 0) },
        Operation("slice") { try $0.slice(0, 2..<5).squared() },
        Operation("expand") { try $0.reshaped([6, 1]).expanded([6, 4]).squared() },
        Operation("pad and crop") {
            try $0.reshaped([1, 2, 3]).paddedAtEnd([1, 0, 2], with: 1).croppedAtEnd(to: [1, 2, 2]).squared()
        },
    ]
}

struct GradientTests {
    /// A convolution of a network: its kernel, stride and groups, and what of it is differentiated.
    struct Convolution: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var kernel = 3, stride = 1, groups = 1
        var hasBias = true, isChannelsLast = true, inputIsFixed = false, weightIsFixed = false

        static let all: [Convolution] = [
            .init(testDescription: "block"), .init(testDescription: "without bias", hasBias: false),
            .init(testDescription: "channels first", isChannelsLast: false),
            .init(testDescription: "mixing", kernel: 1), .init(testDescription: "grouped", groups: 2),
            .init(testDescription: "down", kernel: 2, stride: 2),
            .init(testDescription: "stem", kernel: 2, stride: 2, isChannelsLast: false, inputIsFixed: true),
            .init(testDescription: "frozen", weightIsFixed: true),
        ]
    }

    /// Small convolutions are computed otherwise than libtorch does by itself.
    @Test(arguments: Convolution.all) func convolutionsAreThoseOfTheLibrary(_ kind: Convolution) throws {
        func all(_ isUsual: Bool) throws -> [[Float]] {
            let size = kind.kernel
            let values = try waveTensor([1, 4, 6, 10, 8], 0.3)
            let input = try (kind.isChannelsLast ? values.channelsLast() : values).requiringGradient(!kind.inputIsFixed)
            let weight = try waveTensor([6, 4 / kind.groups, size, size, size], 0.7)
                .requiringGradient(!kind.weightIsFixed)
            let bias = try waveTensor([6], 0.9).requiringGradient()
            let padding = size == 3 ? 1 : 0
            func convolved() throws(LearningError) -> Tensor {
                try input.conv3d(
                    weight, bias: kind.hasBias ? bias : nil, stride: [kind.stride, kind.stride, kind.stride],
                    padding: [padding, padding, padding], groups: kind.groups)
            }
            let output = try isUsual ? Tensor.withUsualConvolutions(convolved) : convolved()
            let tensors =
                (kind.inputIsFixed ? [] : [input]) + (kind.weightIsFixed ? [] : [weight])
                + (kind.hasBias ? [bias] : [])
            // The gradient of a sum is one number in every place; a slice has places without.
            let gradients = try (output.sum() + output.slice(4, 1..<3).squared().sum()).gradients(of: tensors)
            return try ([output] + gradients).map { try $0.floats() }
        }
        for (ours, usual) in zip(try all(false), try all(true)) { expectClose(ours, usual) }
    }

    /// Else the test above would compare a thing with itself.
    @Test func theLibrarysConvolutionsAreOthers() throws {
        let input = try waveTensor([1, 16, 8, 8, 8], 0.37)
        let weight = try waveTensor([16, 16, 3, 3, 3], 0.73)
        let ours = try input.conv3d(weight, padding: [1, 1, 1]).floats()
        let usual = try Tensor.withUsualConvolutions { () throws(LearningError) in
            try input.conv3d(weight, padding: [1, 1, 1])
        }.floats()
        #expect(ours != usual)
        expectClose(ours, usual)
    }

    init() { #expect(configured) }

    @Test(arguments: Operation.all)
    func differentiates(_ operation: Operation) throws {
        let point = wave(6, 0.9, 0.3).map { $0 + operation.shift }
        try expectGradient(at: point, shape: [6]) { try operation.body($0) }
    }

    @Test(arguments: [false, true])
    func differentiatesTheResidualBlock(separable: Bool) throws {
        var generator = StepGenerator(seed: 5)
        let block = try ResidualBlock(
            channels: 4, groups: 2, separable: separable, embeddingChannels: 3, using: &generator, on: .cpu)
        try scramble(block)
        let embedding = try waveTensor([1, 3], 1.1)
        try expectGradient(at: wave(4 * 12, 0.9), shape: [1, 4, 3, 2, 2]) { try block($0, embedding: embedding) }
        let input = try waveTensor([1, 4, 3, 2, 2], 0.9)
        for parameter in block.parameters {
            let start = try parameter.tensor.floats()
            try expectGradient(at: start, of: parameter.tensor) { try block(input, embedding: embedding) }
        }
    }

    @Test func differentiatesTheNetwork() throws {
        var configuration = ResidualUNetConfiguration(inputChannels: 1)
        (configuration.channels, configuration.groups, configuration.embeddingChannels) = ([4, 4], 2, 4)
        (configuration.encoderBlocks, configuration.decoderBlocks) = ([1, 1], [1])
        let network = try ResidualUNet(configuration, seed: 3)
        try scramble(network)
        let level = try Tensor([0.3], shape: [1])
        // Neither extent is a multiple of the patch.
        try expectGradient(at: wave(45, 0.9), shape: [1, 1, 3, 5, 3], tolerance: 2e-2) {
            try network($0, noiseLevel: level)
        }
    }

    @Test func differentiatesTheLosses() throws {
        // Below the estimate everywhere: where they meet, the absolute difference has no derivative.
        let truth = try waveTensor([1, 1, 7, 8, 7], 0.5, 1).squared() * 0.5
        let mask = try Tensor.full(1, [1, 1, 7, 8, 7])
        let similarity = try StructuralSimilarity(extents: [7, 8, 7])
        let regions = try Tensor(wave(2 * 392, 0.2).map { $0 > 0 ? 1 : 0 }, shape: [2, 7, 8, 7])
        let point = wave(392, 0.45, 0.2).map { $0 + 2 }
        try expectGradient(at: point, shape: [1, 1, 7, 8, 7], tolerance: 2e-2) { estimate in
            let terms = [
                try similarity(estimate, truth, mask: mask, dataRange: 1),
                try TrainingLoss.meanL1(estimate, truth, mask: mask),
                try TrainingLoss.rootL1(estimate, truth, mask: mask),
                try TrainingLoss.regionSums(estimate, truth, regions: regions, floor: 0.1),
                try TrainingLoss.poissonDeviance(expected: estimate, counts: truth),
            ]
            // Weights bring the five to one order of magnitude.
            return try Tensor.concatenated(terms.map { try $0.reshaped([1]) }, along: 0)
        }
    }

    @Test func gradientsOfNothingAreZeroAndNothingAccumulates() throws {
        let used = try waveTensor([3], 1, 1).requiringGradient()
        let unused = try waveTensor([2], 1, 1).requiringGradient()
        let gradients = try (used * 3).sum().gradients(of: [used, unused])
        #expect(try gradients[0].floats() == [3, 3, 3])
        #expect(try gradients[1].floats() == [0, 0])
        #expect(try used.gradient == nil)
    }

    @Test func recordsNothingWithoutGradient() throws {
        let input = try waveTensor([3], 1).requiringGradient()
        #expect(try input.exp().requiresGradient)
        #expect(try !withoutGradient { () throws(LearningError) in try input.exp() }.requiresGradient)
        #expect(try !input.exp().detached().requiresGradient)
    }
}

/// Gives every parameter, the zero ones too, a value, so that no gradient vanishes by construction.
func scramble(_ module: any Module) throws {
    for (index, parameter) in module.parameters.enumerated() {
        try parameter.tensor.assign(waveTensor(parameter.tensor.shape, 0.7, Double(index)) * 0.4)
    }
}

/// Compares autograd with differences for `sum(w_i body(x)_i)`, the weights a wave.
private func expectGradient(
    at point: [Float], shape: [Int], tolerance: Float = 5e-3, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (Tensor) throws -> Tensor
) throws {
    func loss(_ input: Tensor) throws -> Tensor {
        let output = try body(input)
        return try (output * waveTensor(output.shape, 0.8, 0.4)).sum()
    }
    let input = try Tensor(point, shape: shape).requiringGradient()
    try loss(input).backward()
    try TestSupport.expectGradient(
        of: { try loss(Tensor($0, shape: shape)).scalar }, is: #require(try input.gradient).floats(), at: point,
        tolerance: tolerance, sourceLocation: sourceLocation)
}

/// The same for a parameter, which is overwritten and put back.
private func expectGradient(
    at point: [Float], of parameter: Tensor, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Tensor
) throws {
    func loss() throws -> Tensor {
        let output = try body()
        return try (output * waveTensor(output.shape, 0.8, 0.4)).sum()
    }
    parameter.forgetGradient()
    try loss().backward()
    let gradient = try #require(try parameter.gradient).floats()
    try TestSupport.expectGradient(
        of: { values in
            try parameter.assign(Tensor(values, shape: parameter.shape))
            return try loss().scalar
        }, is: gradient, at: point, sourceLocation: sourceLocation)
    try parameter.assign(Tensor(point, shape: parameter.shape))
}
