package import Imaging

/// A volume as a compressed NIfTI-1 file, float32, with its place in the scanner's coordinates.
///
/// NIfTI's x runs to the right and y to the front, DICOM's to the left and the back: the first two axes change sign.
///
/// - Source: NIfTI-1 data format, nifti1.h (sform, `NIFTI_XFORM_SCANNER_ANAT`).
package enum NIfTI {
    package static func encode(_ volume: Volume<Float>, description: String) -> [UInt8] {
        let grid = volume.grid
        var header = [UInt8](repeating: 0, count: 352)
        func put(_ value: Int16, at offset: Int) {
            withUnsafeBytes(of: value.littleEndian) { header.replaceSubrange(offset..<offset + 2, with: $0) }
        }
        func put(_ value: Float, at offset: Int) {
            withUnsafeBytes(of: value.bitPattern.littleEndian) {
                header.replaceSubrange(offset..<offset + 4, with: $0)
            }
        }
        withUnsafeBytes(of: Int32(348).littleEndian) { header.replaceSubrange(0..<4, with: $0) }
        for (index, size) in [3, grid.columns, grid.rows, grid.slices, 1, 1, 1, 1].enumerated() {
            put(Int16(size), at: 40 + 2 * index)
        }
        put(Int16(16), at: 70)  // datatype float32
        put(Int16(32), at: 72)  // bits per voxel
        for (index, size) in [1, grid.spacing.x, grid.spacing.y, grid.spacing.z].enumerated() {
            put(Float(size), at: 76 + 4 * index)
        }
        put(Float(352), at: 108)  // offset of the data
        put(Float(1), at: 112)  // slope
        header[123] = 2  // millimetres
        for (index, byte) in description.utf8.prefix(79).enumerated() { header[148 + index] = byte }
        put(Int16(1), at: 254)  // sform code: scanner coordinates
        let rows: [[Double]] = [
            [-grid.spacing.x, 0, 0, -grid.origin.x], [0, -grid.spacing.y, 0, -grid.origin.y],
            [0, 0, grid.spacing.z, grid.origin.z],
        ]
        for (row, values) in rows.enumerated() {
            for (column, value) in values.enumerated() { put(Float(value), at: 280 + 16 * row + 4 * column) }
        }
        header.replaceSubrange(344..<348, with: [0x6E, 0x2B, 0x31, 0])
        let body = volume.voxels.withUnsafeBytes { Array($0) }
        return Compression.gzip(header + body)
    }
}
