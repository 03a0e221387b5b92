import Imaging

/// Whether a CT series reaches as far as what stands on it.
///
/// Slices that are missing at an end leave no gap in a series, and a CT does not say how many it has. But a PET/CT's
/// two images cover the same body, and nobody draws contours beyond the image: where PET or contours go on, the CT
/// was cut.
struct AxialCoverage {
    /// Nominal slice positions of the two images of one device differ by less than this part of their slices'
    /// thickness.
    private static let slack = 1.0

    private let lowest, highest, slice: Double

    init(_ ct: VoxelGrid) {
        lowest = ct.origin.z
        highest = ct.position(x: 0, y: 0, z: Double(ct.slices - 1)).z
        slice = ct.spacing.z
    }

    /// - Throws: ``StudyProblem/needsInput(code:fields:)``.
    func check(pet: VoxelGrid) throws(StudyProblem) {
        let petHighest = pet.position(x: 0, y: 0, z: Double(pet.slices - 1)).z
        let allowance = Self.slack * (slice + pet.spacing.z)
        guard pet.origin.z >= lowest - allowance, petHighest <= highest + allowance else {
            throw .needsInput(code: "ct-shorter-than-pt", fields: ["ct", "ct.whole"])
        }
    }

    /// - Throws: ``StudyProblem/needsInput(code:fields:)``.
    func check(contours: StructureSet) throws(StudyProblem) {
        let allowance = Self.slack * slice
        for region in contours.regions {
            for contour in region.contours {
                guard contour.allSatisfy({ $0.z >= lowest - allowance && $0.z <= highest + allowance }) else {
                    throw .needsInput(code: "ct-shorter-than-contours", fields: ["ct", "ct.whole"])
                }
            }
        }
    }
}
