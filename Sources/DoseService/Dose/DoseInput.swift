import Anatomy
import DICOM
import Dosimetry
import Foundation
import Imaging

/// Activity maps of one administration, the anatomy below them, and what the reconstructions said about them.
struct DoseInput {
    /// One time point.
    struct TimePoint {
        let map: ActivityMap
        /// Of the file's patient and study.
        let dataset: Dataset
        let time: LocalTimestamp
        /// What the reconstruction wrote beside the map.
        let summary: ResultSummary?
        let views: StoredViews?
    }

    let points: [TimePoint]
    let scheme: DecayScheme
    let ct: CTSeries
    let pet: PETSeries?
    let contours: ContouredAnatomy?
    let spect: SPECTAnchor?
    /// Why images that could have set the levels did not: stable codes, each once.
    let unusedTomographies: [String]

    var sources: [SourceReference] {
        points.map(\.map.reference)
            + [
                ct.sources.first, pet?.sources.first, contours?.source, spect?.image.reference,
            ].compactMap { $0 }
    }

    /// - Throws: ``StudyProblem``.
    init(_ request: DoseRun.Request) throws(StudyProblem) {
        guard !request.activityPaths.isEmpty else { throw .needsInput(code: "activity-missing", fields: ["activity"]) }
        for path in request.activityPaths + request.anatomyPaths {
            do { _ = try ObjectScanner().scan(path: path) } catch { throw .refused(code: "file-unreadable") }
        }
        var read: [(path: String, map: ActivityMap, dataset: Dataset)] = []
        for path in request.activityPaths {
            do {
                let dataset = try Dataset(contentsOf: path)
                read.append((path, try ActivityMapReader.read(dataset), dataset))
            } catch { throw StudyProblem(error, role: "activity") }
        }
        try Self.checkAlike(read.map(\.map))
        scheme = try Self.scheme(read.map(\.map.radionuclide), stated: request.radionuclide)
        points = try Self.points(read, request)
        let inventory = SeriesInventory(filesAt: request.anatomyPaths)
        let frame = read[0].map.frameOfReferenceUID
        guard let series = inventory.series(of: .computedTomography).first(where: { $0.frameOfReferenceUID == frame })
        else { throw .needsInput(code: DosimetryError.massMissing.reasonCode, fields: ["anatomy.ct"]) }
        do {
            ct = try SeriesReader.readCT(filesAt: series.paths)
            let tracer = inventory.series(of: .positronEmission).first { $0.frameOfReferenceUID == frame }
            pet = try tracer.map { series throws(DICOMReadingError) in try SeriesReader.readPET(filesAt: series.paths) }
        } catch { throw StudyProblem(error, role: "ct") }
        // The same choice as the reconstruction's, whose regions these have to be.
        contours = try StudyReader(sites: []).readContours(inventory, frame: frame)
        let (first, known) = (read[0].map, scheme)
        if let path = request.spectPath {
            (spect, unusedTomographies) = (try SPECTAnchor(path: path, beside: first, scheme: known), [])
        } else {
            (spect, unusedTomographies) = Self.anchor(request, beside: first, scheme: known)
        }
    }

    /// What is left open between an image and the integral is least near the mean life, some 60 h in organs that take up
    /// 177Lu-PSMA.
    private static let bestHours = 60.0

    /// Of several images that can be used the one at the best time.
    private static func anchor(
        _ request: DoseRun.Request, beside map: ActivityMap, scheme: DecayScheme
    ) -> (SPECTAnchor?, [String]) {
        var anchors: [(hoursOff: Double, anchor: SPECTAnchor)] = []
        var codes: Set<String> = []
        for path in request.tomographyPaths {
            do {
                let anchor = try SPECTAnchor(path: path, beside: map, scheme: scheme)
                let hours = anchor.time.seconds(since: request.administeredAt) / 3600
                anchors.append((abs(hours - bestHours), anchor))
            } catch { codes.insert(error.code) }
        }
        return (anchors.min { $0.hoursOff < $1.hoursOff }?.anchor, codes.sorted())
    }

    /// - Throws: ``StudyProblem`` when the maps are not of one patient in one frame, or have no calibration.
    private static func checkAlike(_ maps: [ActivityMap]) throws(StudyProblem) {
        guard maps.allSatisfy({ $0.patientID == maps[0].patientID }) else { throw .refused(code: "patients-differ") }
        guard maps.allSatisfy({ $0.frameOfReferenceUID == maps[0].frameOfReferenceUID }) else {
            throw .refused(code: "frames-of-reference-differ")
        }
    }

    private static func scheme(_ named: [String?], stated: String?) throws(StudyProblem) -> DecayScheme {
        let names = Set((named + [stated]).compactMap { $0 })
        guard names.count <= 1 else { throw .refused(code: "isotopes-differ") }
        guard let name = names.first else { throw .needsInput(code: "isotope-unknown", fields: ["isotope"]) }
        do { return try DecayScheme.named(name) } catch {
            throw .needsInput(code: error.reasonCode, fields: ["isotope"])
        }
    }

    private static func points(
        _ read: [(path: String, map: ActivityMap, dataset: Dataset)], _ request: DoseRun.Request
    ) throws(StudyProblem) -> [TimePoint] {
        var points: [TimePoint] = []
        for (path, map, dataset) in read {
            guard let time = map.time else {
                throw .needsInput(code: "activity-uncalibrated", fields: ["site.calibration"])
            }
            guard time.seconds(since: request.administeredAt) > 0, points.last.map({ $0.time < time }) ?? true else {
                throw .refused(code: DosimetryError.timesOutOfOrder.reasonCode)
            }
            let folder = URL(fileURLWithPath: path).deletingLastPathComponent()
            points.append(
                TimePoint(
                    map: map, dataset: dataset, time: time, summary: decoded(folder, "summary.json"),
                    views: decoded(folder, "views.json")))
        }
        return points
    }

    /// What a reconstruction wrote beside its map; a file that is not there, or is something else, tells nothing.
    private static func decoded<Content: Decodable>(_ folder: URL, _ name: String) -> Content? {
        // Absence is the usual case for a map that came from an archive.
        guard let data = try? Data(contentsOf: folder.appendingPathComponent(name)) else { return nil }
        return try? JSONDecoder().decode(Content.self, from: data)
    }

    /// Regions on the grid of the maps: the same as the reconstruction made, when it worked on this anatomy.
    func anatomy() throws(StudyProblem) -> PatientAnatomy {
        let contours = (contours?.structures.regions ?? []).map { region in
            PatientAnatomy.Contour(name: region.name) { grid in
                // A region without any area on this grid is found to be empty by its owner.
                (try? region.coverage(on: grid)) ?? Volume(grid: grid, repeating: 0)
            }
        }
        let map = points[0].map.volume
        do {
            return try PatientAnatomy(
                hounsfield: ct.volume, pet: pet?.volume ?? map, contours: contours, spacing: map.grid.spacing.x)
        } catch { throw StudyProblem(error) }
    }
}

extension StudyProblem {
    init(_ error: DosimetryError) {
        switch error {
        case .noSamples, .halfLifeMissing, .massMissing, .unknownRadionuclide, .noKernel:
            self = .needsInput(code: error.reasonCode, fields: ["dose"])
        case .gridMismatch, .notAnActivity, .impossibleSpacing, .timesOutOfOrder, .notASample, .negativeFit:
            self = .refused(code: error.reasonCode)
        }
    }
}
