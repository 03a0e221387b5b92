import Anatomy
import DICOM
import Foundation
public import Imaging
public import Reconstruction

/// A synthetic patient as a hospital would hold it: DICOM in four folders, and the truth beside them.
public struct PhantomFiles {
    /// What `truth.json` holds.
    public struct Truth: Codable, Equatable, Sendable {
        public struct Organ: Codable, Equatable, Sendable {
            public let name: String
            public let activityMegabecquerel: Double

            enum CodingKeys: String, CodingKey {
                case name
                case activityMegabecquerel = "activity_mbq"
            }
        }

        public let seed: UInt64
        public let organs: [Organ]
        public let calibration: Double
        /// What has to be added to the planar image's x and z to reach the CT's.
        public let offsetMillimetres: [Double]

        enum CodingKeys: String, CodingKey {
            case seed, organs
            case calibration = "calibration_cps_per_mbq"
            case offsetMillimetres = "offset_mm"
        }
    }

    static let injectedMegabecquerels = 7400.0
    /// The therapy's injection; the PET/CT is some weeks before.
    private static let injection = LocalTimestamp(year: 2024, month: 3, day: 25, secondsOfDay: 10 * 3600)

    public let patient: SyntheticPatient

    /// - Parameter hours: of the planar scan after the injection.
    /// - Throws: ``StudyProblem``.
    public init(seed: UInt64, hours: Double = 24) throws(StudyProblem) {
        var recipe = SyntheticPatient.Recipe(seed: seed)
        recipe.hours = hours
        do { patient = try SyntheticPatient(recipe) } catch { throw StudyProblem(error) }
    }

    /// - Throws: ``StudyProblem/failed(code:)`` when a file cannot be written.
    public func write(to folder: String) throws(StudyProblem) {
        do {
            for name in ["nm", "ct", "pt", "rtstruct"] {
                try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
            }
            try writeAnatomy(to: folder)
            try writePlanar(to: folder)
            let truth = NIfTI.encode(truthOnDoseGrid(), description: "true activity Bq/mL")
            try DurableFile.write(truth, to: "\(folder)/truth.nii.gz")
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try DurableFile.write(Array(try encoder.encode(facts)), to: "\(folder)/truth.json")
        } catch { throw .failed(code: "output-not-written") }
    }

    /// The true map on every n-th voxel of the CT, as maps are delivered.
    public func truthOnDoseGrid() -> Volume<Float> {
        patient.truth.resampled(to: patient.truth.grid.doseGrid(near: 4.8))
    }

    public var facts: Truth {
        Truth(
            seed: patient.recipe.seed,
            organs: patient.organActivities.map { .init(name: $0.name, activityMegabecquerel: $0.megabecquerel) },
            calibration: patient.recipe.site.calibration(energy: Radionuclide.lutetium177.lines[0].energy) ?? 0,
            offsetMillimetres: [patient.planarOffset.x, patient.planarOffset.y])
    }

    private func writeAnatomy(to folder: String) throws {
        let study = SyntheticStudy(
            seed: patient.recipe.seed, name: "petct", description: "PSMA PET/CT",
            startedAt: LocalTimestamp(year: 2024, month: 3, day: 4, secondsOfDay: 9 * 3600))
        let ct = try SliceWriter.writeCT(
            patient.hounsfield, peakKilovolts: patient.recipe.site.tubeVoltage, study: study, to: "\(folder)/ct")
        let tracer = Administration(
            megabecquerels: 150, startedAt: study.startedAt.advanced(bySeconds: -3600),
            secondsOfDay: study.startedAt.advanced(bySeconds: -3600).secondsOfDay)
        try SliceWriter.writePET(patient.pet, administration: tracer, study: study, to: "\(folder)/pt")
        let regions = try patient.masks().map { name, mask in
            try StructureSet.Region(name: name, outlining: mask)
        }
        try StructureSetWriter.write(
            StructureSet(regions: regions), on: ct, study: study, to: "\(folder)/rtstruct/0001.dcm")
    }

    private func writePlanar(to folder: String) throws {
        let (injection, hours) = (Self.injection, patient.recipe.hours)
        let study = SyntheticStudy(
            seed: patient.recipe.seed, name: hours == 24 ? "planar" : "planar \(Int(hours)) h",
            description: "177Lu-PSMA whole body", startedAt: injection.advanced(bySeconds: hours * 3600))
        let field = patient.recipe.site.fieldOfViewMillimetres
        let acquisition = PlanarAcquisition(
            views: patient.views,
            administration: Administration(
                megabecquerels: Self.injectedMegabecquerels, startedAt: injection, secondsOfDay: injection.secondsOfDay),
            fieldOfViewMillimetres: SIMD2(field[0], field[1]))
        try PlanarWriter.write(acquisition, study: study, to: "\(folder)/nm/0001.dcm")
    }
}
