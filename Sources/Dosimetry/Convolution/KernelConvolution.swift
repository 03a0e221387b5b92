/// A volume convolved with an even kernel, in the way that is faster for the kernel's size.
///
/// What depends on the kernel alone is computed once, when this is made.
///
/// - Shape: volumes are `[z, y, x]`, x fastest, with `size` voxels along x, y and z.
public struct KernelConvolution: Sendable {
    private let direct: DirectConvolution?
    private let fourier: FourierConvolution?

    public init(size: SIMD3<Int>, kernel: VoxelKernel.Octant) {
        // Farther than the volume is wide there is nothing that could be reached.
        let cut = kernel.cut(to: pointwiseMin(kernel.reach, size &- 1))
        let isSmall = DirectConvolution.tapCount(cut.reach) <= DirectConvolution.tapLimit
        direct = isSmall ? DirectConvolution(size: size, kernel: cut) : nil
        fourier = isSmall ? nil : FourierConvolution(size: size, kernel: cut)
    }

    public func callAsFunction(_ volume: [Float]) -> [Float] { direct?(volume) ?? fourier?(volume) ?? volume }
}

extension VoxelKernel.Octant {
    func cut(to smaller: SIMD3<Int>) -> Self {
        guard smaller != reach else { return self }
        var octant = Self(reach: smaller)
        for z in 0...smaller.z {
            for y in 0...smaller.y {
                for x in 0...smaller.x { octant[x, y, z] = self[x, y, z] }
            }
        }
        return octant
    }
}
