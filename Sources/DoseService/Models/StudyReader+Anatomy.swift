import Anatomy
import DICOM
import Imaging

extension StudyReader {
    /// What is known of a patient before any planar scan.
    struct AnatomySource {
        let ct: CTSeries
        let pet: PETSeries
        let contours: ContouredAnatomy?

        /// - Parameter spacing: wanted distance between voxels, in millimetres.
        /// - Throws: ``StudyProblem``.
        func patientAnatomy(spacing: Double = PatientAnatomy.usualSpacing) throws(StudyProblem) -> PatientAnatomy {
            let named = (contours?.structures.regions ?? []).map { region in
                PatientAnatomy.Contour(name: region.name) { grid in
                    // A region without any area on this grid is found to be empty by its owner.
                    (try? region.coverage(on: grid)) ?? Volume(grid: grid, repeating: 0)
                }
            }
            do {
                return try PatientAnatomy(
                    hounsfield: ct.volume, pet: pet.volume, contours: named, spacing: spacing)
            } catch { throw StudyProblem(error) }
        }
    }

    /// Walks every file with the bounded scanner before anything parses it.
    ///
    /// - Throws: ``StudyProblem``.
    func readAnatomy(_ paths: [String]) throws(StudyProblem) -> AnatomySource {
        for path in paths {
            do { _ = try ObjectScanner().scan(path: path) } catch { throw .refused(code: "file-unreadable") }
        }
        let inventory = SeriesInventory(filesAt: paths)
        let scans = try readScans(inventory)
        return AnatomySource(
            ct: scans.ct, pet: scans.pet,
            contours: try readContours(inventory, frame: scans.ct.frameOfReferenceUID))
    }
}
