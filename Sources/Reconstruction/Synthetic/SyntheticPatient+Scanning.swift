import Anatomy
import Dispatch
import Glibc
import Imaging

extension SyntheticPatient {
    static func ctGrid(spacing: Double) throws(ImagingError) -> VoxelGrid {
        let columns = Int(500 / spacing)
        let first = -Double(columns - 1) / 2 * spacing
        return try VoxelGrid(
            columns: columns, rows: columns, slices: 224, spacing: SIMD3(spacing, spacing, 5),
            origin: SIMD3(first, first, -150))
    }

    static func petGrid() throws(ImagingError) -> VoxelGrid {
        try VoxelGrid(
            columns: 128, rows: 128, slices: 224, spacing: SIMD3(4.0728, 4.0728, 5),
            origin: SIMD3(-258.6228, -258.6228, -150))
    }

    /// From the legs to above the head, as wide and as deep as the patient is but no wider than the camera sees.
    static func simulationGrid(of phantom: StylisedPhantom, spacing: SIMD3<Double>) throws(ImagingError) -> VoxelGrid {
        let reach = phantom.halfExtentMillimetres
        let size = SIMD3(2 * min(max(reach.x, 244.8), 312), 2 * max(reach.y, 144), 1344)
        let count = (size / spacing).rounded(.up)
        return try VoxelGrid(
            columns: Int(count.x), rows: Int(count.y), slices: Int(count.z), spacing: spacing,
            origin: SIMD3(0, 0, 330.8) - (count - 1) / 2 * spacing)
    }

    /// A CT's noise of 12 HU in pixels of 1.5625 mm, less in larger ones.
    static func noisyCT(_ volume: Volume<Float>, seed: UInt64) -> Volume<Float> {
        let deviation = Float(12 * 1.5625 / volume.grid.spacing.x)
        // A CT's scale starts at -1024.
        return withNoise(volume, seed: seed, purpose: "ct") { value, noise in
            max((value + noise * deviation).rounded(), -1024)
        }
    }

    /// A PET's resolution (about 6 mm) and noise.
    static func blurredPET(_ activity: Volume<Float>, seed: UInt64) -> Volume<Float> {
        var blurred = activity
        let grid = activity.grid
        for (axis, stride) in [1, grid.columns, grid.columns * grid.rows].enumerated() {
            let count = [grid.columns, grid.rows, grid.slices][axis]
            let variance = Float(pow(6 / 2.355 / grid.spacing[axis], 2))
            blurAxis(&blurred.voxels, stride: stride, count: count, variance: variance)
        }
        return withNoise(blurred, seed: seed, purpose: "pet") { value, noise in
            max(0, value * (1 + 0.05 * noise))
        }
    }

    /// Every voxel changed by a function of its value and of a normal number.
    private static func withNoise(
        _ volume: Volume<Float>, seed: UInt64, purpose: String,
        _ change: @Sendable (_ value: Float, _ noise: Float) -> Float
    ) -> Volume<Float> {
        var noisy = volume
        let plane = volume.grid.columns * volume.grid.rows
        noisy.voxels.withUnsafeMutableBufferPointer { voxels in
            // Each iteration writes its own slice only, from a generator of its own.
            nonisolated(unsafe) let voxels = voxels
            DispatchQueue.concurrentPerform(iterations: volume.grid.slices) { slice in
                var generator = SeededGenerator(seed: seed, purpose: "noise-\(purpose)-\(slice)")
                for voxel in slice * plane..<(slice + 1) * plane {
                    voxels[voxel] = change(voxels[voxel], bellShaped(generator.next()))
                }
            }
        }
        return noisy
    }

    /// The sum of four uniform numbers: as good as normal for an image's noise, and many times as fast.
    private static func bellShaped(_ word: UInt64) -> Float {
        let parts = SIMD4<UInt16>(
            UInt16(truncatingIfNeeded: word), UInt16(truncatingIfNeeded: word >> 16),
            UInt16(truncatingIfNeeded: word >> 32), UInt16(truncatingIfNeeded: word >> 48))
        // Four times the variance of a uniform number is a third.
        return (SIMD4<Float>(parts).sum() / 65_536 - 2) * Float(3).squareRoot()
    }

    /// Three taps, as often as they are needed for the variance in squared voxels.
    private static func blurAxis(_ voxels: inout [Float], stride: Int, count: Int, variance: Float) {
        let passes = max(1, Int((variance / 0.4).rounded(.up)))
        let side = variance / Float(passes) / 2
        let line = stride * count
        for _ in 0..<passes {
            let old = voxels
            for start in Swift.stride(from: 0, to: voxels.count, by: line) {
                for voxel in start..<start + line {
                    let before = voxel - start >= stride ? old[voxel - stride] : 0
                    let after = voxel - start < line - stride ? old[voxel + stride] : 0
                    voxels[voxel] = (1 - 2 * side) * old[voxel] + side * (before + after)
                }
            }
        }
    }
}
