import Anatomy
import DICOM
import Foundation
public import Imaging
public import Reconstruction

/// A synthetic patient as a hospital would hold it: DICOM in folders by modality, and the truth beside them.
public struct PhantomFiles {
    /// How the contours of organs and lesions are written; the raw value is the folder's name.
    public enum Contours: String, Sendable, CaseIterable {
        case rtstruct, seg, none
    }

    /// The therapy's injection; the PET/CT is some weeks before.
    static let injection = LocalTimestamp(year: 2024, month: 3, day: 25, secondsOfDay: 10 * 3600)

    public let patient: SyntheticPatient

    /// - Parameter hours: of the planar scan after the injection.
    /// - Throws: ``StudyProblem``.
    public init(_ recipe: SyntheticPatient.Recipe) throws(StudyProblem) {
        do { patient = try SyntheticPatient(recipe) } catch { throw StudyProblem(error) }
    }

    /// - Throws: ``StudyProblem/failed(code:)`` when a file cannot be written.
    public func write(to folder: String, contours: Contours = .rtstruct) throws(StudyProblem) {
        do {
            for name in ["nm", "ct", "pt"] + (contours == .none ? [] : [contours.rawValue]) {
                try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            }
            try writeAnatomy(to: folder, contours)
            try writePlanar(to: folder)
            let truth = NIfTI.encode(truthOnDoseGrid(), description: "true activity Bq/mL")
            try DurableFile.write(truth, to: "\(folder)/truth.nii.gz")
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try DurableFile.write(Array(try encoder.encode(facts)), to: "\(folder)/truth.json")
            try DurableFile.write(Array(try encoder.encode(patient.recipe.site)), to: "\(folder)/site.json")
        } catch { throw .failed(code: "output-not-written") }
    }

    /// The true map on every n-th voxel of the CT, as maps are delivered.
    public func truthOnDoseGrid() -> Volume<Float> {
        patient.truth.averaged(on: patient.truth.grid.doseGrid(near: 4.8))
    }

    private func writeAnatomy(to folder: String, _ contours: Contours) throws {
        let study = SyntheticStudy(
            seed: patient.recipe.seed, name: "petct", description: "PSMA PET/CT",
            startedAt: LocalTimestamp(year: 2024, month: 3, day: 4, secondsOfDay: 9 * 3600))
        let ct = try SliceWriter.writeCT(
            patient.hounsfield, peakKilovolts: patient.recipe.site.tubeVoltage, study: study, to: "\(folder)/ct")
        let tracer = Administration(
            megabecquerels: 150, startedAt: study.startedAt.advanced(bySeconds: -3600),
            secondsOfDay: study.startedAt.advanced(bySeconds: -3600).secondsOfDay)
        try SliceWriter.writePET(patient.pet, administration: tracer, study: study, to: "\(folder)/pt")
        let path = "\(folder)/\(contours.rawValue)/0001.dcm"
        switch contours {
        case .none: break
        case .rtstruct:
            let regions = try patient.masks().map { name, mask in
                try StructureSet.Region(name: name, outlining: mask)
            }
            try StructureSetWriter.write(StructureSet(regions: regions), on: ct, study: study, to: path)
        case .seg:
            let segments = patient.masks().map { SegmentationWriter.Segment(name: $0.name, mask: $0.mask) }
            try SegmentationWriter.dataset(segments, on: patient.hounsfield.grid, references: ct, study: study)
                .write(to: path)
        }
    }

    private func writePlanar(to folder: String) throws {
        let isWholeBody = patient.recipe.field == .wholeBody
        let (injection, hours) = (Self.injection, patient.recipe.hours)
        let study = SyntheticStudy(
            seed: patient.recipe.seed, name: hours == 24 ? "planar" : "planar \(Int(hours)) h",
            description: isWholeBody ? "177Lu-PSMA whole body" : "177Lu-PSMA abdomen",
            startedAt: injection.advanced(bySeconds: hours * 3600))
        let field = patient.recipe.site.fieldOfViewMillimetres
        let acquisition = PlanarAcquisition(
            acquisition: isWholeBody ? .wholeBody : .static, views: patient.views,
            administration: Administration(
                megabecquerels: administeredMegabecquerels, startedAt: injection, secondsOfDay: injection.secondsOfDay),
            fieldOfViewMillimetres: SIMD2(field[0], field[1]))
        try PlanarWriter.write(acquisition, study: study, to: "\(folder)/nm/0001.dcm")
    }
}
