import DICOM
import Foundation
import Imaging
import Testing

/// What the validators of dicom3tools, DCMTK and pydicom say about every object that is written.
struct ConformanceTests {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test func validatorsFindNothing() throws {
        let paths = try writeAll()
        #expect(paths.count == 28)
        for path in paths {
            let verdict = try output(of: "/usr/bin/dciodvfy", [path])
            let complaints = verdict.text.split(separator: "\n").filter {
                $0.contains("Error") || $0.contains("Warning")
            }
            #expect(complaints.isEmpty, "\(path)")
            #expect(verdict.status == 0)
            #expect(try output(of: "/usr/bin/dcmdump", ["-q", path]).status == 0)
        }
        // The tool files the accession number of every structured report under its series, so that none agrees with an
        // image of its own study.
        let set = try output(of: "/usr/bin/dcentvfy", paths.filter { !$0.hasSuffix("/sr.dcm") })
        #expect(set.text.isEmpty)
        #expect(set.status == 0)
    }

    /// The validator itself must be able to say no.
    @Test func validatorNoticesAMissingAttribute() throws {
        let dataset = try SyntheticPatient.nm()
        dataset.remove(.seriesInstanceUID)
        try dataset.write(to: folder.file("bad.dcm"))
        #expect(try output(of: "/usr/bin/dciodvfy", [folder.file("bad.dcm")]).text.contains("Error"))
    }

    private func writeAll() throws -> [String] {
        let nm = folder.file("nm.dcm")
        try PlanarWriter.write(SyntheticPatient.acquisition(), study: SyntheticPatient.nmStudy, to: nm)
        let fixed = try SyntheticPatient.acquisition(.static)
        let ct = try SyntheticPatient.volume()
        let ctReferences = try SliceWriter.writeCT(ct, study: SyntheticPatient.petStudy, to: folder.folder("ct"))
        try SliceWriter.writePET(
            SyntheticPatient.volume(slices: 3, from: 0),
            administration: Administration(megabecquerels: 150, startedAt: SyntheticPatient.administered),
            study: SyntheticPatient.petStudy, to: folder.folder("pt"))
        try StructureSetWriter.write(
            SyntheticPatient.structures, on: ctReferences, study: SyntheticPatient.petStudy,
            to: folder.file("rtstruct.dcm"))

        for encoding in SegmentationWriter.Encoding.allCases {
            // One study holds one of the two: they share their identifiers.
            let study = SyntheticStudy(
                seed: 7, name: "petct \(encoding)", description: "PET/CT",
                startedAt: SyntheticPatient.petStudy.startedAt)
            let kidney = try SyntheticPatient.volume(columns: 4, rows: 3, slices: 2).map { $0 > -850 ? Float(1) : 0.2 }
            try SegmentationWriter.dataset(
                [.init(name: "kidney_left", coverage: kidney), .init(name: "Lesion 1", coverage: kidney)],
                encoding: encoding, on: ct.grid, references: ctReferences, study: study
            ).write(to: folder.file("\(encoding).dcm"))
        }
        let source = try Dataset(contentsOf: folder.file("ct/0001.dcm"))
        let context = SyntheticPatient.doseContext(ctGrid: ct.grid, sources: ctReferences)
        let writer = RTDoseWriter(context: context, source: source)
        let map = try SyntheticPatient.volume(from: 0)
        try writer.writePlan(to: folder.file("plan.dcm"))
        let activity = DoseMap.Quantity.activityConcentration(at: SyntheticPatient.nmStudy.startedAt)
        let outputs: [(String, DoseMap)] = [
            ("activity", DoseMap(activity, volume: map)),
            ("uncertainty", DoseMap(activity, statistic: .standardDeviation, volume: map)),
            ("dose", DoseMap(.absorbedDose, volume: map.map { $0 * 1e-4 })),
        ]
        for (index, (name, map)) in outputs.enumerated() {
            try writer.write(map, output: name, seriesNumber: 10 + index, to: folder.file("\(name).dcm"))
        }
        try writeReports(writer, map: map)
        try writeCopies(writer, map: map, planar: nm)
        try PlanarWriter.write(
            fixed,
            study: SyntheticStudy(
                seed: 7, name: "nm static", description: "Planar", startedAt: SyntheticPatient.nmStudy.startedAt),
            to: folder.file("static.dcm"))
        let single = [
            "nm", "static", "rtstruct", "plan", "activity", "uncertainty", "dose", "error", "histograms", "regions",
            "sr", "pdf", "binary", "fractional", "segments",
        ].map { folder.file("\($0).dcm") }
        return try single + ["ct", "pt", "copy"].flatMap { try folder.files(in: $0) }
    }

    /// The map as PET images and the regions as a segmentation, in the study of the map.
    private func writeCopies(_ writer: RTDoseWriter, map: Volume<Float>, planar: String) throws {
        let study = try PlanarReader().read(filesAt: [planar])
        let slices = try writer.petSlices(
            of: map, planar: study, administration: study.administration, isSupineHeadFirst: true, seriesNumber: 30)
        let target = try folder.folder("copy")
        for (index, slice) in slices.enumerated() { try slice.write(to: "\(target)/\(index).dcm") }
        let half = map.map { $0 > map.voxels.reduce(0, +) / Float(map.voxels.count) ? Float(1) : 0 }
        let segments = [("kidney_left", half), ("lesion_1", half), ("empty", half.map { _ in 0 })].map {
            SegmentationWriter.Segment(name: $0.0, coverage: $0.1)
        }
        let object = try #require(try writer.segmentation(segments, on: map.grid, seriesNumber: 31))
        #expect(object.items(.segmentSequence).map { $0.text(.segmentLabel) } == ["kidney_left", "lesion_1"])
        try object.write(to: folder.file("segments.dcm"))
    }

    /// A dose with histograms, its deviation, its regions, and the two reports.
    private func writeReports(_ writer: RTDoseWriter, map: Volume<Float>) throws {
        let gray = map.map { $0 * 1e-4 }
        try writer.write(
            DoseMap(.absorbedDose, statistic: .standardDeviation, volume: gray), output: "error", seriesNumber: 20,
            to: folder.file("error.dcm"))
        let dose = try writer.dataset(of: DoseMap(.absorbedDose, volume: gray), output: "histograms", seriesNumber: 21)
        writer.putHistograms(
            [
                RegionHistogram(
                    regionNumber: 1, binWidth: 0.05, millilitres: [10, 7.5, 2], minimum: 0.01, maximum: 0.1,
                    mean: 1 / 15.0)
            ], into: dose)
        try dose.write(to: folder.file("histograms.dcm"))
        try writer.structures(SyntheticPatient.structures, seriesNumber: 22).write(to: folder.file("regions.dcm"))
        let group = MeasurementReport.Group(
            name: "kidney_left", finding: .organFinding, site: .site(of: "kidney_left"),
            measurements: [
                .init(.organDose, 12.345678, .gray, derivation: .mean), .init(.volume, 150.5, .cubicCentimetre),
            ], comment: "Activity 50 MBq")
        let lesion = MeasurementReport.Group(
            name: "lesion_1", finding: .lesionFinding, site: nil,
            measurements: [.init(.mass, 1 / 3.0, .gram)])
        try writer.measurementReport(MeasurementReport(groups: [group, lesion]), seriesNumber: 23)
            .write(to: folder.file("sr.dcm"))
        // An odd number of bytes, which the file pads.
        try writer.encapsulatedPDF(Array("%PDF-1.4 page".utf8), title: "Dose report", seriesNumber: 24)
            .write(to: folder.file("pdf.dcm"))
    }
}
