import DICOM
import Dosimetry
import Foundation
import Imaging

/// Everything that a dose job leaves in its folder; the summary comes last.
struct DoseFiles {
    let dosimetry: RegionDosimetry
    let summary: DoseSummary
    let request: DoseRun.Request

    /// The objects that go to the archive, in the order in which they are sent.
    static let exported = ["plan.dcm", "regions.dcm", "dose.dcm", "dose-error.dcm", "report-sr.dcm", "report-pdf.dcm"]
    /// Their names in a site's configuration.
    package static let outputNames = exported.map { name in
        let word = String(name.prefix { $0 != "." })
        return word == "plan" ? "dose-plan" : word
    }
    /// Bins of a histogram.
    private static let binCount = 200

    private var folder: String { request.outputFolder }

    /// - Throws: ``StudyProblem/failed(code:)`` when the disk does not take it.
    func write() throws(StudyProblem) {
        let deviation = dosimetry.deviation(summary.regions)
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let report = DoseReport(dosimetry: dosimetry, summary: summary, request: request)
            let pages = report.pages()
            let document = PDFDocument.encode(pages, title: DoseReport.title)
            try DurableFile.write(document, to: "\(folder)/report.pdf")
            try DurableFile.write(WebDocument.encode(pages, title: DoseReport.title), to: "\(folder)/report.html")
            try writeObjects(deviation, document)
            try writeVolumes(deviation)
            try DurableFile.write(Array(DoseText.csv(summary).utf8), to: "\(folder)/dose.csv")
            try DurableFile.write(Array(DoseText.histograms(try curves()).utf8), to: "\(folder)/dvh.csv")
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            try DurableFile.write(Array(try encoder.encode(summary)), to: "\(folder)/dose.json")
        } catch { throw .failed(code: "output-not-written") }
    }

    private func writeObjects(_ deviation: Volume<Float>, _ document: [UInt8]) throws {
        let input = dosimetry.input
        let context = RTDoseContext(
            frameOfReferenceUID: input.ct.frameOfReferenceUID, ctGrid: input.ct.volume.grid, sources: input.sources,
            provenance: summary.provenance, qualification: request.qualification, createdAt: request.createdAt,
            uids: UIDGenerator(namespace: request.namespace))
        let writer = RTDoseWriter(context: context, source: input.points[0].dataset)
        try writer.writePlan(to: "\(folder)/plan.dcm")
        let outlined = try dosimetry.regions.filter { $0.kind != .background }.map { region in
            try StructureSet.Region(name: region.name, outlining: region.coverage.map { $0 >= 0.5 })
        }
        try writer.structures(StructureSet(regions: outlined), seriesNumber: 11).write(to: "\(folder)/regions.dcm")
        let name = summary.radionuclide
        let dose = try writer.dataset(
            of: DoseMap(.absorbedDose, volume: dosimetry.dose.volume, radionuclide: name), output: "dose",
            seriesNumber: 12)
        let numbers = Dictionary(uniqueKeysWithValues: outlined.enumerated().map { ($1.name, $0 + 1) })
        let histograms = try curves().compactMap { region, histogram in
            numbers[region].map { number in
                let bins = histogram.cumulative(binCount: Self.binCount)
                return RegionHistogram(
                    regionNumber: number, binWidth: bins.width, millilitres: bins.millilitres,
                    minimum: histogram.minimum, maximum: histogram.maximum, mean: histogram.mean)
            }
        }
        writer.putHistograms(histograms, into: dose)
        try dose.write(to: "\(folder)/dose.dcm")
        try writer.write(
            DoseMap(.absorbedDose, statistic: .standardDeviation, volume: deviation, radionuclide: name),
            output: "dose error", seriesNumber: 13, to: "\(folder)/dose-error.dcm")
        try writer.measurementReport(DoseText.measurements(summary), seriesNumber: 14)
            .write(to: "\(folder)/report-sr.dcm")
        try writer.encapsulatedPDF(document, title: DoseReport.title, seriesNumber: 15)
            .write(to: "\(folder)/report-pdf.dcm")
    }

    private func writeVolumes(_ deviation: Volume<Float>) throws {
        var labels = Volume<Float>(grid: dosimetry.anatomy.grid, repeating: 0)
        for (index, region) in dosimetry.regions.enumerated() {
            for voxel in labels.voxels.indices where region.coverage.voxels[voxel] >= 0.5 {
                labels.voxels[voxel] = Float(index + 1)
            }
        }
        let volumes: [(String, Volume<Float>, String)] = [
            ("dose", dosimetry.dose.volume, "absorbed dose Gy"), ("dose-sd", deviation, "sd of absorbed dose Gy"),
            ("integrated", dosimetry.integrated, "time-integrated activity MBq h/mL"),
            ("masks", labels, "regions, numbered as in dose.csv"),
        ]
        for (name, volume, description) in volumes {
            try DurableFile.write(
                NIfTI.encode(volume, description: description), to: "\(folder)/\(name).nii.gz")
        }
    }

    /// Histograms of all regions that have a row.
    private func curves() throws -> [(String, DoseVolumeHistogram)] {
        try dosimetry.regions.filter { region in summary.regions.contains { $0.name == region.name } }
            .map { ($0.name, try dosimetry.histogram($0)) }
    }
}
