public import Imaging

extension VoxelGrid {
    /// A grid for RT Dose whose voxel centres are centres of this CT's voxels, with square pixels, close to a wished
    /// spacing: viewers that lay a dose over the CT then find no fraction of a voxel between them.
    ///
    /// The CT's pixels must be square. What is left at the far edges, less than one dose voxel, is not covered.
    ///
    /// - Parameter spacing: wished distance between voxel centres, in millimetres.
    public func doseGrid(near spacing: Double) -> VoxelGrid {
        let step = SIMD3(self.spacing.x, self.spacing.x, self.spacing.z)
        let ratios = SIMD3<Int>(
            Swift.max(1, Int((spacing / step.x).rounded())), Swift.max(1, Int((spacing / step.y).rounded())),
            Swift.max(1, Int((spacing / step.z).rounded())))
        do {
            return try VoxelGrid(
                columns: (columns - 1) / ratios.x + 1, rows: (rows - 1) / ratios.y + 1,
                slices: (slices - 1) / ratios.z + 1,
                spacing: self.spacing * SIMD3(Double(ratios.x), Double(ratios.y), Double(ratios.z)), origin: origin)
        } catch {
            preconditionFailure("a part of a grid is a grid")
        }
    }
}
