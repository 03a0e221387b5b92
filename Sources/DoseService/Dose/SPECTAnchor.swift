import Anatomy
import DICOM
import Dosimetry
import Imaging

/// A quantitative SPECT of the same administration, on the anatomy's frame of reference.
struct SPECTAnchor {
    /// Less of a region inside the SPECT's field of view, and it says nothing of the region.
    static let coverLimit = 0.98

    let image: TomographicImage

    var time: LocalTimestamp { image.acquiredAt }

    /// - Throws: ``StudyProblem`` when it cannot stand beside the maps.
    init(path: String, beside map: ActivityMap, scheme: DecayScheme) throws(StudyProblem) {
        do { _ = try ObjectScanner().scan(path: path) } catch { throw .refused(code: "file-unreadable") }
        do { image = try TomographyReader.read(Dataset(contentsOf: path)) } catch {
            throw StudyProblem(error, role: "spect")
        }
        guard image.patientID == map.patientID else { throw .refused(code: "patients-differ") }
        guard image.radionuclide == scheme.name else { throw .refused(code: "isotopes-differ") }
        guard image.frameOfReferenceUID == map.frameOfReferenceUID else {
            throw .needsInput(code: "registration-missing", fields: ["spect.frame-of-reference"])
        }
    }

    /// Activity inside a region's contour, in MBq; nil when a part of it lies outside the image.
    func activity(in region: Region) -> Double? {
        let grid = region.coverage.grid
        let seen = image.volume.map { _ in Float(1) }.resampled(to: grid)
        let map = image.volume.resampled(to: grid)
        var (sum, whole, covered) = (0.0, 0.0, 0.0)
        for (voxel, part) in region.coverage.voxels.enumerated() where part > 0 {
            sum += Double(part * map.voxels[voxel])
            whole += Double(part)
            covered += Double(part * seen.voxels[voxel])
        }
        guard whole > 0, covered >= Self.coverLimit * whole else { return nil }
        return sum * grid.voxelMillilitres * 1e-6
    }
}
