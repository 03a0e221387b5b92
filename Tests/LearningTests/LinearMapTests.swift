import Learning
import Synchronization
import TestSupport
import Testing

struct LinearMapTests {
    init() { #expect(configured) }

    private static let matrix = wave(6, 1.3)

    private struct Refusal: Error {}

    /// `y = M x` with a matrix of 2 x 3, written without libtorch.
    private static func map(
        forwardFails: Bool = false, adjointFails: Bool = false, onCall: @escaping @Sendable () -> Void = {}
    ) -> LinearMap {
        LinearMap(inputShape: [3], outputShape: [2, 1]) { input, output in
            onCall()
            if forwardFails { throw Refusal() }
            for row in 0..<2 { output[row] = (0..<3).reduce(0) { $0 + matrix[3 * row + $1] * input[$1] } }
        } adjoint: { input, output in
            if adjointFails { throw Refusal() }
            for column in 0..<3 { output[column] = (0..<2).reduce(0) { $0 + matrix[3 * $1 + column] * input[$1] } }
        }
    }

    @Test func mapsEachItemOfTheBatch() throws {
        let output = try Self.map()(Tensor([1, 0, 0, 0, 1, 0], shape: [2, 3]))
        #expect(output.shape == [2, 2, 1])
        let m = Self.matrix
        #expect(try output.floats() == [m[0], m[3], m[1], m[4]])
    }

    @Test func passesTheGradientThroughItsAdjoint() throws {
        let map = Self.map()
        let point = wave(6, 0.9)
        let input = try Tensor(point, shape: [2, 3]).requiringGradient()
        // A node before it and one behind it, so that it is a real part of a graph.
        func loss(_ input: Tensor) throws -> Tensor { try map(input.exp()).squared().sum() }
        try loss(input).backward()
        try expectGradient(
            of: { try loss(Tensor($0, shape: [2, 3])).scalar }, is: #require(try input.gradient).floats(), at: point)
    }

    @Test func reportsWhatItsClosuresThrow() throws {
        let input = try Tensor([1, 2, 3], shape: [3]).requiringGradient()
        #expect(throws: LearningError.linearMapFailed) { try Self.map(forwardFails: true)(input) }
        let output = try Self.map(adjointFails: true)(input)
        #expect(throws: LearningError.tensorOperation(name: "backward", reason: "the linear map failed")) {
            try output.sum().backward()
        }
    }

    @Test func refusesTheWrongShape() throws {
        let input = try Tensor.zeros([2, 4])
        #expect(throws: LearningError.shapeMismatch(expected: [3], found: [2, 4])) { try Self.map()(input) }
    }

    @Test func isReleasedWithItsGraph() throws {
        final class Token: Sendable {
            let released: Mutex<Bool>.Box
            init(_ released: Mutex<Bool>.Box) { self.released = released }
            deinit { released.mutex.withLock { $0 = true } }
        }
        let released = Mutex<Bool>.Box()
        func run() throws {
            let token = Token(released)
            let map = Self.map(onCall: { withExtendedLifetime(token) {} })
            let output = try map(Tensor([1, 2, 3], shape: [3]).requiringGradient())
            #expect(!released.mutex.withLock { $0 })
            try output.sum().backward()
        }
        try run()
        #expect(released.mutex.withLock { $0 })
    }
}

extension Mutex where Value == Bool {
    /// A mutex that several owners share.
    final class Box: Sendable {
        let mutex = Mutex(false)
    }
}
