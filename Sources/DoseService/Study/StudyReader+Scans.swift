import DICOM
import Imaging

extension StudyReader {
    /// CT and PET in one frame of reference, and how they came to it.
    struct Scans {
        let ct: CTSeries
        let pet: PETSeries
        /// The registration that joined the two, when there had to be one.
        let registration: SourceReference?
        let findings: [String]
    }

    /// Reads the largest PET series and the largest CT series that lies in its frame of reference, or that a
    /// registration joins to it; then the PET is moved to the CT.
    ///
    /// - Throws: ``StudyProblem``; `registration-missing` when nothing joins the two.
    func readScans(_ inventory: SeriesInventory) throws(StudyProblem) -> Scans {
        let pet: PETSeries
        do { pet = try SeriesReader.readPET(filesAt: try largest(.positronEmission, "pt", inventory)) } catch {
            throw Self.problem(error, role: "pt")
        }
        let frame = pet.frameOfReferenceUID
        let registrations = try readRegistrations(inventory)
        let all = inventory.series(of: .computedTomography)
        guard !all.isEmpty, !all.contains(where: { $0.frameOfReferenceUID == frame }) else {
            let files = try largest(.computedTomography, "ct", inventory, frame: frame)
            return Scans(
                ct: try readCT(files), pet: pet, registration: nil,
                findings: registrations.isEmpty ? [] : ["registration-not-needed"])
        }
        for registration in registrations {
            let joined = all.filter { series in
                series.frameOfReferenceUID.map { registration.transform(from: frame, to: $0) != nil } ?? false
            }
            guard let series = joined.max(by: { $0.paths.count < $1.paths.count }),
                let target = series.frameOfReferenceUID,
                let transform = registration.transform(from: frame, to: target)
            else { continue }
            do {
                return Scans(
                    ct: try SeriesReader.readCT(filesAt: series.paths),
                    pet: try pet.moved(by: transform, into: target), registration: registration.source,
                    findings: ["registration-used"])
            } catch { throw Self.problem(error, role: "ct") }
        }
        throw .needsInput(code: "registration-missing", fields: ["frame-of-reference"])
    }

    private func readCT(_ paths: [String]) throws(StudyProblem) -> CTSeries {
        do { return try SeriesReader.readCT(filesAt: paths) } catch { throw StudyProblem(error, role: "ct") }
    }

    /// The newest first; one without a date is older than any.
    private func readRegistrations(_ inventory: SeriesInventory) throws(StudyProblem) -> [SpatialRegistration] {
        var found: [SpatialRegistration] = []
        for path in inventory.series(of: .spatialRegistration).flatMap(\.paths) {
            do { found.append(try SpatialRegistration(fileAt: path)) } catch { throw StudyProblem(error, role: "reg") }
        }
        return found.sorted { left, right in
            guard let date = left.createdAt else { return false }
            return right.createdAt.map { date > $0 } ?? true
        }
    }

    /// What the reports say of the latest administration before a planar scan, or what the scan's own file says.
    ///
    /// - Returns: the source is nil when no report was used.
    func readAdministration(
        _ inventory: SeriesInventory, of planar: PlanarStudy
    ) -> (administration: Administration, source: SourceReference?, findings: [String]) {
        var findings: [String] = []
        var latest: AdministrationReport?
        for path in inventory.series(of: .radiopharmaceuticalDoseReport).flatMap(\.paths) {
            let report: AdministrationReport
            do { report = try AdministrationReport(fileAt: path) } catch {
                findings.append("administration-report-unusable")
                continue
            }
            guard let start = report.administration.startedAt,
                report.radionuclide == planar.radionuclide.name,
                (0...AdministrationReport.ageLimitSeconds).contains(planar.startedAt.seconds(since: start))
            else { continue }
            if let known = latest?.administration.startedAt, known >= start { continue }
            latest = report
        }
        guard let latest else { return (planar.administration, nil, findings) }
        findings.append("administration-from-report")
        if let stated = planar.administration.megabecquerels, let reported = latest.administration.megabecquerels,
            abs(stated / reported - 1) > Self.activityTolerance
        {
            findings.append("administration-differs")
        }
        return (latest.administration, latest.source, findings)
    }

    /// What the image says of the injected activity is often the ordered one; more than this is another.
    private static let activityTolerance = 0.05
}
