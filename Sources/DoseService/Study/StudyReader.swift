import Anatomy
import DICOM
import Imaging
import Tomography

/// The instances of one case as the numbers that a reconstruction needs.
struct StudyReader {
    /// Everything that was read.
    struct Study {
        let planar: PlanarStudy
        let ct: CTSeries
        let pet: PETSeries
        let contours: ContouredAnatomy?
        let site: CameraSite
        /// Where patient and study are copied from.
        let planarSource: Dataset
        let sources: [SourceReference]
        /// What was given: by its report, or by the planar image.
        let administration: Administration
        /// How files that may be there or not were used, as stable codes.
        let findings: [String]
    }

    /// The cameras of the site; the first that names the station, then the first that holds for all.
    let sites: [CameraSite]
    /// What the site says of its devices; the first that speaks counts.
    var siteRules: [ReadingRule] = []
    /// What was answered to what the case asked for.
    var answers = AnsweredFields()

    /// Walks every file with the bounded scanner before anything parses it.
    ///
    /// - Throws: ``StudyProblem``.
    func read(planar planarPaths: [String], anatomy anatomyPaths: [String]) throws(StudyProblem) -> Study {
        for path in planarPaths + anatomyPaths {
            do { _ = try ObjectScanner().scan(path: path) } catch { throw .refused(code: "file-unreadable") }
        }
        let planar: PlanarStudy
        let planarSource: Dataset
        do {
            let datasets = try planarPaths.map { path throws(DICOMReadingError) in try Dataset(contentsOf: path) }
            guard let first = datasets.first else { throw StudyProblem.needsInput(code: "nm-missing", fields: ["nm"]) }
            planar = try PlanarReader(rules: rules(for: Equipment(first))).read(datasets)
            planarSource = first
        } catch let error as DICOMReadingError {
            throw StudyProblem(error, role: "nm")
        } catch let problem as StudyProblem { throw problem } catch { throw .failed(code: "unexpected") }
        let inventory = SeriesInventory(filesAt: anatomyPaths)
        let scans = try readScans(inventory)
        let (ct, pet) = (scans.ct, scans.pet)
        let given = readAdministration(inventory, of: planar)
        let contours = try readContours(inventory, frame: ct.frameOfReferenceUID)
        let coverage = AxialCoverage(ct.volume.grid)
        if !answers.consents(to: CaseAnswers.Consent.wholeCT) {
            try coverage.check(pet: pet.volume.grid)
            if let contours { try coverage.check(contours: contours.structures) }
        }
        let sources =
            planar.sources
            + [ct.sources.first, pet.sources.first, contours?.source, scans.registration, given.source].compactMap {
                $0
            }
        return Study(
            planar: planar, ct: ct, pet: pet, contours: contours, site: try site(for: planar, ct),
            planarSource: planarSource, sources: sources, administration: given.administration,
            findings: scans.findings + given.findings)
    }

    static func problem(_ error: any Error, role: String) -> StudyProblem {
        switch error {
        case let error as DICOMReadingError: StudyProblem(error, role: role)
        case let problem as StudyProblem: problem
        default: .failed(code: "unexpected")
        }
    }

    /// What the site's description supplies when files are silent.
    private func rules(for equipment: Equipment) -> PlanarReadingRules {
        var rules = PlanarReadingRules()
        // Who answers looks at this very case; a site's rule is for all, and the camera's own size comes last.
        answers.rule.complete(&rules)
        for rule in siteRules where rule.matches(equipment) { rule.complete(&rules) }
        guard rules.fieldOfViewMillimetres == nil else { return rules }
        if let site = sites.first, site.fieldOfViewMillimetres.count == 2 {
            rules.fieldOfViewMillimetres = SIMD2(site.fieldOfViewMillimetres[0], site.fieldOfViewMillimetres[1])
        }
        return rules
    }

    func largest(
        _ sopClass: SOPClass, _ role: String, _ inventory: SeriesInventory, frame: String? = nil
    ) throws(StudyProblem) -> [String] {
        let all = inventory.series(of: sopClass)
        guard !all.isEmpty else { throw .needsInput(code: "\(role)-missing", fields: [role]) }
        let fitting = all.filter { frame == nil || $0.frameOfReferenceUID == frame }
        guard let series = fitting.max(by: { $0.paths.count < $1.paths.count }) else {
            throw .needsInput(code: "registration-missing", fields: ["frame-of-reference"])
        }
        return series.paths
    }

    /// The newest contours of the CT's frame of reference, drawn or segmented.
    func readContours(
        _ inventory: SeriesInventory, frame: String
    ) throws(StudyProblem) -> ContouredAnatomy? {
        var newest: ContouredAnatomy?
        func consider(_ contours: ContouredAnatomy) {
            guard contours.frameOfReferenceUID == frame else { return }
            if let known = newest {
                // Without a date nothing says that these are newer.
                guard let date = contours.createdAt, known.createdAt.map({ date.seconds(since: $0) > 0 }) ?? true else {
                    return
                }
            }
            newest = contours
        }
        for path in inventory.series(of: .structureSet).flatMap(\.paths) {
            do { consider(try StructureSetReader.read(fileAt: path)) } catch {
                throw StudyProblem(error, role: "rtstruct")
            }
        }
        for path in inventory.series(of: .segmentation).flatMap(\.paths) {
            do { consider(try SegmentationReader.read(fileAt: path)) } catch { throw StudyProblem(error, role: "seg") }
        }
        return newest
    }

    private func site(for planar: PlanarStudy, _ ct: CTSeries) throws(StudyProblem) -> CameraSite {
        var site = CalibrationChoice(sites: sites, for: planar).site
        guard site.isotope == planar.radionuclide.name else {
            throw .needsInput(code: "isotope-unknown", fields: ["site.isotope"])
        }
        if let voltage = ct.peakKilovolts { site.tubeVoltage = voltage }
        return site
    }
}
