import Anatomy
import Imaging

/// Tells whether a model was trained on this very patient: a digest of all that the networks are told of an anatomy.
enum AnatomyDigest {
    static func hex(of anatomy: PatientAnatomy) -> String {
        var bytes: [UInt8] = []
        func add(_ volume: Volume<Float>) { volume.voxels.withUnsafeBytes { bytes += $0 } }
        add(anatomy.hounsfield)
        add(anatomy.pet)
        for region in anatomy.regions {
            bytes += Array(region.name.utf8)
            // What region a voxel belongs to says all that its coverage does, in a quarter of the bytes.
            bytes += region.coverage.voxels.map { UInt8(max(0, min(1, $0)) * 255) }
        }
        return Digest.hex(of: bytes)
    }
}
