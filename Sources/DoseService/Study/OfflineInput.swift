import DICOM

/// A folder or file on the command line: which objects it holds, for those who look for others.
struct OfflineInput {
    let option, folder: String
    let paths: [String]

    /// - Throws: ``OfflineProblem`` when there is nothing to read.
    init(_ option: String, _ folder: String) throws(OfflineProblem) {
        (self.option, self.folder) = (option, folder)
        do throws(StudyProblem) { paths = try FolderContents.paths(below: folder) } catch {
            let why = error.code == "folder-missing" ? "there is no such folder or file" : "is no folder of DICOM files"
            throw OfflineProblem(error, found: ["\(option) \(folder): \(why)"])
        }
    }

    /// Looks for the classes of a planar study, and of the other input's when one of them is missing: everything that lacks
    /// is said at once.
    ///
    /// - Throws: ``OfflineProblem`` naming every missing role.
    func require(
        _ classes: [SOPClass], or other: OfflineInput, _ otherClasses: [SOPClass]
    ) throws(OfflineProblem) {
        let own = inventory
        let missing = Self.missing(classes, in: own)
        // A file that cannot be read may be what is missing, and is a problem of its own.
        guard !missing.isEmpty, own.unreadablePaths.isEmpty else { return }
        let others = other.inventory
        let further = Self.missing(otherClasses, in: others)
        var found = [line(own, lacking: missing)]
        if !further.isEmpty { found.append(other.line(others, lacking: further)) }
        throw Self.problem(missing + further, found)
    }

    /// A problem of the run itself; where it misses something, what there was instead is said too.
    static func explained(
        _ problem: StudyProblem, planar: OfflineInput?, anatomy: OfflineInput, outputFolder: String
    ) -> OfflineProblem {
        switch problem.code {
        case "ct-missing", "pt-missing":
            let inventory = anatomy.inventory
            let missing = missing([.computedTomography, .positronEmission], in: inventory)
            return Self.problem(missing, [anatomy.line(inventory, lacking: missing)])
        case "registration-missing", "masses-missing":
            return OfflineProblem(problem, found: [anatomy.line(anatomy.inventory, lacking: [])])
        case "file-unreadable":
            let broken = ((planar?.paths ?? []) + anatomy.paths).filter { (try? ObjectScanner().scan(path: $0)) == nil }
            return OfflineProblem(problem, found: broken.prefix(5).map { "\($0): no whole DICOM object" })
        case let code where code.hasPrefix("nm-"):
            return OfflineProblem(problem, found: planar.map { [$0.line($0.inventory, lacking: [])] } ?? [])
        default: return OfflineProblem(problem, outputFolder: outputFolder)
        }
    }

    private var inventory: SeriesInventory { SeriesInventory(filesAt: paths) }

    private static func missing(_ classes: [SOPClass], in inventory: SeriesInventory) -> [SOPClass] {
        classes.filter { inventory.series(of: $0).isEmpty }
    }

    private static func problem(_ missing: [SOPClass], _ found: [String]) -> OfflineProblem {
        let roles = missing.map(role)
        return OfflineProblem(
            .needsInput(code: "\(roles.first ?? "nm")-missing", fields: roles), found: found)
    }

    /// `--planar patient/ct: 448 files, CT images; no planar NM image`.
    private func line(_ inventory: SeriesInventory, lacking missing: [SOPClass]) -> String {
        var counts: [String: Int] = [:]
        for series in inventory.series { counts[Self.word(series), default: 0] += series.paths.count }
        if !inventory.unreadablePaths.isEmpty { counts["unreadable"] = inventory.unreadablePaths.count }
        let kinds = counts.sorted { $0.key < $1.key }.map { counts.count == 1 ? $0.key : "\($0.value) \($0.key)" }
        let files = paths.count == 1 ? "1 DICOM file" : "\(paths.count) DICOM files"
        let lacks = missing.map { "no \(Self.name(of: $0))" }.joined(separator: ", ")
        return "\(option) \(folder): \(([files] + kinds).joined(separator: ", "))" + (lacks.isEmpty ? "" : "; \(lacks)")
    }

    private static func role(_ sopClass: SOPClass) -> String {
        switch sopClass {
        case .computedTomography: "ct"
        case .positronEmission: "pt"
        default: "nm"
        }
    }

    private static func word(_ series: SeriesInventory.Series) -> String {
        series.sopClass.map { name(of: $0) + ($0 == .structureSet || $0 == .segmentation ? "" : "s") }
            ?? "other objects"
    }

    private static func name(of sopClass: SOPClass) -> String {
        switch sopClass {
        case .nuclearMedicine: "planar NM image"
        case .computedTomography: "CT image"
        case .positronEmission: "PET image"
        case .structureSet: "RTSTRUCT"
        case .segmentation: "SEG"
        case .radiotherapyDose: "RT Dose object"
        case .radiotherapyPlan: "RT Plan object"
        default: "other object"
        }
    }
}
