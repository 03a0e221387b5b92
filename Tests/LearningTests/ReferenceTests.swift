import Learning
import Testing

/// What PyTorch 2.13.0 (CPU wheel, one thread) computes from the same waves: input `sin(0.37 i)`, weight
/// `sin(0.73 i + 0.5)`, loss `sum(output_i sin(0.21 i + 1))`; elements 5, 6 and 7 of output and gradients.
struct Reference: Sendable, CustomTestStringConvertible {
    typealias Body = @Sendable (Tensor, Tensor) throws -> Tensor
    let name: String
    let inputShape: [Int]
    let weightShape: [Int]
    let body: Body
    let loss: Float
    let output: [Float]
    let inputGradient: [Float]
    let weightGradient: [Float]

    var testDescription: String { name }

    init(
        _ name: String, _ inputShape: [Int], _ weightShape: [Int] = [1], loss: Float, output: [Float],
        inputGradient: [Float], weightGradient: [Float] = [], _ body: @escaping Body
    ) {
        (self.name, self.inputShape, self.weightShape, self.body) = (name, inputShape, weightShape, body)
        (self.loss, self.output) = (loss, output)
        (self.inputGradient, self.weightGradient) = (inputGradient, weightGradient)
    }

    static let convolutions: [Reference] = [
        Reference(
            "conv3d", [2, 3, 4, 5, 6], [4, 3, 3, 3, 3], loss: -66.6695, output: [-7.098475, -11.045, -12.54805],
            inputGradient: [-3.286896, -3.77475, -3.973313], weightGradient: [7.809087, -0.04909727, -3.708624]
        ) { try $0.conv3d($1, padding: [1, 1, 1]) },
        Reference(
            "conv3d, channels last", [2, 3, 4, 5, 6], [4, 3, 3, 3, 3], loss: -66.6695,
            output: [-7.098475, -11.045, -12.54805], inputGradient: [-3.286896, -3.77475, -3.973313],
            weightGradient: [7.809087, -0.04909727, -3.708624]
        ) { try $0.channelsLast().conv3d($1, padding: [1, 1, 1]) },
        Reference(
            "strided grouped conv3d", [1, 4, 4, 5, 6], [6, 2, 3, 3, 3], loss: -15.90096,
            output: [5.727065, -3.670933, 1.155448], inputGradient: [-0.4106544, -0.3768571, -0.4874713],
            weightGradient: [-0.8024318, 0.2281707, 0.3246552]
        ) { try $0.conv3d($1, stride: [2, 2, 2], padding: [1, 1, 1], groups: 2) },
        Reference(
            "transposed conv3d", [1, 3, 2, 3, 4], [3, 2, 3, 3, 3], loss: 13.10411,
            output: [-0.2817159, -0.05985479, -0.7744341], inputGradient: [1.635965, 1.129723, 0.4271099],
            weightGradient: [0.9485548, -0.2329389, 0.02319059]
        ) { try $0.convTranspose3d($1, stride: [2, 2, 2], padding: [1, 1, 1], outputPadding: [1, 1, 1]) },
        Reference(
            "linear", [3, 5], [4, 5], loss: 1.942751, output: [-2.047726, 1.750713, -1.010842],
            inputGradient: [-0.07699269, 0.4011617, 0.6748636], weightGradient: [0.7210984, 0.845852, 0.8561234]
        ) { try $0.linear($1) },
    ]

    static let others: [Reference] = [
        Reference(
            "group norm", [2, 8, 2, 3, 4], [8], loss: 3.787002, output: [0.6268337, 0.5137826, 0.3267334],
            inputGradient: [0.4594252, 0.3883247, 0.29935], weightGradient: [9.412353, 1.352654, -7.67289]
        ) { try $0.groupNorm(groups: 2, weight: $1, bias: Tensor.zeros([8])) },
        Reference(
            "instance norm", [2, 8, 2, 3, 4], [8], loss: 5.989494, output: [0.5297957, 0.415807, 0.2272067],
            inputGradient: [0.4725763, 0.4323265, 0.3946337], weightGradient: [10.05218, 1.690044, -8.299534]
        ) { try $0.instanceNorm(weight: $1, bias: Tensor.zeros([8])) },
        Reference(
            "prelu", [2, 8, 2, 3, 4], [8], loss: 1.233761, output: [0.9612752, 0.7965655, 0.5240443],
            inputGradient: [0.8873624, 0.7717527, 0.6222336], weightGradient: [4.030211, 1.010981, -3.890037]
        ) { try $0.prelu($1) },
        Reference(
            "nearest", [1, 2, 2, 3, 4], loss: 7.801303, output: [0.6742879, 0.6742879, 0.8956987],
            inputGradient: [-1.610793, -0.06238809, 1.496861]
        ) { input, _ in try input.upsampledNearest(to: [4, 6, 9]) },
        Reference(
            "pixel shuffle", [1, 8, 3, 2, 4], loss: 2.104011, output: [-0.1939844, 0.8956987, -0.5356033],
            inputGradient: [-0.9977152, -0.8834547, -0.6156301]
        ) { input, _ in try input.pixelShuffled([1, 2, 2]) },
        Reference(
            "silu", [4, 5], loss: 3.387107, output: [0.6953644, 0.5490243, 0.3291486],
            inputGradient: [0.812585, 0.663595, 0.4669898]
        ) { input, _ in try input.silu() },
        Reference(
            "softplus", [4, 5], loss: 4.08743, output: [1.2851, 1.168732, 0.9891114],
            inputGradient: [0.6418976, 0.5319223, 0.3908205]
        ) { input, _ in try input.softplus() },
    ]
}

struct ReferenceTests {
    init() { #expect(configured) }

    @Test(arguments: Reference.convolutions + Reference.others)
    func agreesWithPyTorch(_ reference: Reference) throws {
        let input = try waveTensor(reference.inputShape, 0.37).requiringGradient()
        let weight = try waveTensor(reference.weightShape, 0.73, 0.5).requiringGradient()
        let output = try reference.body(input, weight)
        let loss = try (output * waveTensor(output.shape, 0.21, 1)).sum()
        try loss.backward()
        expectClose([try loss.scalar], [reference.loss])
        expectClose(Array(try output.floats()[5..<8]), reference.output)
        expectClose(Array(try #require(try input.gradient).floats()[5..<8]), reference.inputGradient)
        if !reference.weightGradient.isEmpty {
            expectClose(Array(try #require(try weight.gradient).floats()[5..<8]), reference.weightGradient)
        }
    }

    /// Three steps of `torch.optim.AdamW` (lr 0.1, betas 0.9 and 0.99, decay 0.01 on the matrix only) with
    /// `clip_grad_norm_` at 1.
    @Test func stepsAsPyTorchDoes() throws {
        let matrix = try waveTensor([2, 3], 0.37).requiringGradient()
        let vector = try waveTensor([3], 0.73).requiringGradient()
        var settings = Trainer.Settings(schedule: CosineSchedule(peak: 0.1, warmUpSteps: 0, stepCount: 1_000_000))
        settings.optimiser.weightDecay = 0.01
        let trainer = try Trainer(Pair(matrix: matrix, vector: vector), settings: settings, seed: 0)
        var norms: [Float] = []
        for _ in 0..<3 {
            let sums = try matrix * 2 + vector
            let loss = try (sums * sums.squared()).sum() + vector.squared().sum()
            norms.append(Float(try trainer.descend(loss).gradientNorm))
        }
        expectClose(norms, [93.917892, 73.170570, 55.312637])
        expectClose(
            try matrix.floats(), [-0.1412101, 0.06654512, 0.3728789, 0.5953565, 0.6931336, 0.6584604])
        expectClose(try vector.floats(), [-0.2977349, 0.3672475, 0.6937432])
    }

    private struct Pair: Module {
        let matrix: Tensor
        let vector: Tensor
        var parameters: [Parameter] { [Parameter("matrix", matrix), Parameter("vector", vector)] }
    }
}

/// Within 2e-5 of the largest element: two orders of summation in float32.
func expectClose(_ found: [Float], _ expected: [Float], sourceLocation: SourceLocation = #_sourceLocation) {
    let scale = expected.reduce(1) { max($0, abs($1)) }
    #expect(
        found.count == expected.count && zip(found, expected).allSatisfy { abs($0 - $1) <= 2e-5 * scale },
        "\(found) is not \(expected)", sourceLocation: sourceLocation)
}
