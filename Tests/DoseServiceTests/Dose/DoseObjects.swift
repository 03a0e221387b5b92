import DICOM
import Foundation
import Imaging
import TestSupport

/// A small patient as files: a CT of water with a hot box, contours, and activity maps that fall by half every 48
/// hours.
struct SmallDoseCase {
    static let administered = LocalTimestamp(year: 2024, month: 3, day: 25, secondsOfDay: 36_000)
    static let administeredMegabecquerel = 1000.0
    static let halfLifeHours = 48.0
    /// Bq/mL in the organ and around it, at the administration.
    static let levels = (organ: Float(2e5), rest: Float(2e3))

    let folder: StateFolder
    let study = SyntheticStudy(seed: 3, name: "petct", description: "PET/CT", startedAt: administered)
    let ctGrid: VoxelGrid
    let ctReferences: [SourceReference]

    init(withContours: Bool = true, organ: String = "Liver") throws {
        folder = try StateFolder()
        ctGrid = try VoxelGrid(
            columns: 40, rows: 40, slices: 30, spacing: SIMD3(4, 4, 4), origin: SIMD3(-78, -78, 100))
        for part in ["anatomy/ct", "anatomy/rtstruct"] {
            try FileManager.default.createDirectory(
                atPath: folder.file(part), withIntermediateDirectories: true)
        }
        var ct = Volume<Float>(grid: ctGrid, repeating: -1000)
        for z in 0..<30 { for y in 4..<36 { for x in 4..<36 { ct[x, y, z] = 30 } } }
        ctReferences = try SliceWriter.writeCT(ct, study: study, to: folder.file("anatomy/ct"))
        guard withContours else { return }
        let mask = ct.map { _ in false }.with { mask in Self.forOrgan { mask[$0, $1, $2] = true } }
        let region = try StructureSet.Region(name: organ, outlining: mask)
        try StructureSetWriter.write(
            StructureSet(regions: [region]), on: ctReferences, study: study,
            to: folder.file("anatomy/rtstruct/0001.dcm"))
    }

    /// 10 x 8 x 10 voxels: 51.2 mL.
    private static func forOrgan(_ body: (Int, Int, Int) -> Void) {
        for z in 10..<20 { for y in 16..<24 { for x in 12..<22 { body(x, y, z) } } }
    }

    enum Kind { case calibrated, relative }

    /// Writes a map and returns its path.
    func writeActivity(
        hours: Double, named name: String, radionuclide: String? = "177Lu", kind: Kind = .calibrated,
        seed: UInt64 = 3, factor: Float = 1
    ) throws -> String {
        let fall = Float(exp2(-hours / Self.halfLifeHours)) * factor
        var map = Volume<Float>(grid: ctGrid, repeating: 0)
        for z in 0..<30 { for y in 4..<36 { for x in 4..<36 { map[x, y, z] = Self.levels.rest * fall } } }
        Self.forOrgan { map[$0, $1, $2] = Self.levels.organ * fall }
        let source = try PlanarWriter.dataset(
            Self.acquisition(),
            study: SyntheticStudy(seed: seed, name: "nm", description: "Planar", startedAt: Self.administered))
        let context = RTDoseContext(
            frameOfReferenceUID: study.frameOfReferenceUID, ctGrid: ctGrid, sources: ctReferences,
            provenance: Provenance(version: "1", commit: "c", modelHash: "m", recipeHash: "r", seed: 1),
            createdAt: Self.administered, uids: UIDGenerator(namespace: name))
        let quantity: DoseMap.Quantity =
            kind == .relative
            ? .relativeActivity : .activityConcentration(at: Self.administered.advanced(bySeconds: hours * 3600))
        let path = folder.file("\(name).dcm")
        try RTDoseWriter(context: context, source: source).write(
            DoseMap(quantity, volume: map, radionuclide: radionuclide), output: "activity", seriesNumber: 1, to: path)
        return path
    }

    private static func acquisition() throws -> PlanarAcquisition {
        let views = try ViewDirection.allCases.map { direction in
            try PlanarView(
                direction: direction, window: EnergyWindow(lower: 187, upper: 229), columns: 2, rows: 2,
                spacing: SIMD2(4, 4), origin: SIMD2(0, 0), dwellSeconds: 100, counts: [1, 2, 3, 4])
        }
        return PlanarAcquisition(
            views: views, administration: Administration(megabecquerels: administeredMegabecquerel))
    }

    func run(_ activities: [String], _ more: [String] = []) async throws -> ProgramRun {
        try await ProgramRun(
            Scintivol.program,
            ["dose", "--activity"] + activities + [
                "--anatomy", folder.file("anatomy"), "--out", folder.file("out"), "--administered-mbq", "1000",
                "--administered-at", "20240325100000",
            ] + more)
    }

    func written() throws -> Set<String> {
        Set(try FileManager.default.contentsOfDirectory(atPath: folder.file("out")))
    }
}

extension Volume {
    fileprivate func with(_ change: (inout Volume) -> Void) -> Volume {
        var copy = self
        change(&copy)
        return copy
    }
}
