public import Imaging

/// A dose or activity map as the unsigned integers that an RT Dose object stores.
///
/// A stored pixel times ``gridScaling`` gives the value back to within half a step.
///
/// - Shape: `pixels` is `[z, y, x]`, frame by frame.
/// - Units: those of the map; `gridScaling` in the map's unit per stored unit.
/// - Source: DICOM PS3.3 C.8.8.3, Dose Grid Scaling (3004,000E).
public struct EncodedDose: Equatable, Sendable {
    /// How many bits a voxel takes.
    public enum Storage: Int, Sendable, Codable {
        case sixteen = 16
        case thirtyTwo = 32

        /// The largest stored value. Readers that take 32 bits for signed ones are many, so the sign bit stays clear.
        public var peak: UInt32 { self == .sixteen ? UInt32(UInt16.max) : UInt32(Int32.max) }
    }

    public let storage: Storage
    public let pixels: [UInt32]
    public let gridScaling: DecimalString

    /// - Throws: ``DICOMWritingError/notADose(voxel:)`` naming the first voxel that is NaN, infinite or negative.
    public init(_ map: Volume<Float>, storage: Storage = .sixteen) throws(DICOMWritingError) {
        if let voxel = map.voxels.firstIndex(where: { !$0.isFinite || $0 < 0 }) { throw .notADose(voxel: voxel) }
        // A decimal string has room for 16 characters. Round the step first and quantise with the rounded
        // step, or every voxel carries the same relative error. Round up, so that the hottest voxel fits.
        let peak = Double(map.voxels.max() ?? 0)
        let step = DecimalString(roundingUp: peak > 0 ? peak / Double(storage.peak) : 1)
        self.storage = storage
        // Half a step more, cut off: none of the values is negative.
        pixels = map.voxels.map { UInt32(Double($0) / step.value + 0.5) }
        gridScaling = step
    }

    /// The stored values as the little-endian words of PixelData.
    var words: [UInt16] {
        switch storage {
        case .sixteen: pixels.map { UInt16($0) }
        case .thirtyTwo: pixels.flatMap { [UInt16(truncatingIfNeeded: $0), UInt16($0 >> 16)] }
        }
    }
}
