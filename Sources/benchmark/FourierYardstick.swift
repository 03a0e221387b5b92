import Dosimetry
import Learning

/// The same convolution by libtorch's Fourier transforms, padded to the same good length as ours.
struct FourierYardstick {
    private let size: Int
    private let filter: FourierFilter

    init(size: Int, kernel: VoxelKernel.Octant) throws {
        self.size = size
        let length = Self.length(atLeast: size + kernel.reach.x)
        var values = [Float](repeating: 0, count: length * length * length)
        func wrapped(_ place: Int) -> Int { place < 0 ? place + length : place }
        let reach = kernel.reach
        for z in -reach.z...reach.z {
            for y in -reach.y...reach.y {
                for x in -reach.x...reach.x {
                    values[(wrapped(z) * length + wrapped(y)) * length + wrapped(x)] = Float(
                        kernel[abs(x), abs(y), abs(z)])
                }
            }
        }
        filter = try FourierFilter(kernel: Tensor(values, shape: [length, length, length]))
    }

    func callAsFunction(_ volume: [Float]) throws -> [Float] {
        try filter(Tensor(volume, shape: [size, size, size])).floats()
    }

    /// A product of 2, 3 and 5.
    private static func length(atLeast minimum: Int) -> Int {
        func isGood(_ number: Int) -> Bool {
            [2, 3, 5].reduce(number) { rest, factor in
                var rest = rest
                while rest % factor == 0 { rest /= factor }
                return rest
            } == 1
        }
        return (minimum...).first(where: isGood) ?? minimum
    }
}
