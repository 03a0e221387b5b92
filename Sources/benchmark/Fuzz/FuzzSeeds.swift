import DICOM
import Foundation
import Imaging

/// Small objects of every kind that is received, as our own writers make them.
enum FuzzSeeds {
    /// - Returns: whole files; explicit ones, and what stands on sequences without and with a length.
    static func make(in folder: String) throws -> [[UInt8]] {
        let study = SyntheticStudy(
            seed: 1, name: "fuzz", description: "fuzz",
            startedAt: LocalTimestamp(year: 2024, month: 1, day: 2, secondsOfDay: 3600))
        let grid = try VoxelGrid(
            columns: 4, rows: 4, slices: 2, spacing: SIMD3(2, 2, 3), origin: SIMD3(0, 0, 0))
        let volume = try Volume(grid: grid, voxels: (0..<grid.voxelCount).map { Float($0) })
        let administration = Administration(megabecquerels: 150, startedAt: study.startedAt)
        for name in ["ct", "pt"] {
            try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        let references = try SliceWriter.writeCT(volume, study: study, to: "\(folder)/ct")
        try SliceWriter.writePET(volume, administration: administration, study: study, to: "\(folder)/pt")
        let triangle = [SIMD3(0.0, 0, 0), SIMD3(2, 0, 0), SIMD3(2, 2, 0)]
        try StructureSetWriter.write(
            StructureSet(regions: [.init(name: "Liver", contours: [triangle])]), on: references, study: study,
            to: "\(folder)/rtstruct.dcm")
        let window = EnergyWindow(lower: 187.2, upper: 228.8)
        let views = try ViewDirection.allCases.map { direction in
            try PlanarView(
                direction: direction, window: window, columns: 4, rows: 6, spacing: SIMD2(4.8, 4.8),
                origin: SIMD2(0, 0), dwellSeconds: 100, radialPositionMillimetres: 150, facePositionMillimetres: 150,
                counts: (0..<24).map { Float($0) })
        }
        try PlanarWriter.write(
            PlanarAcquisition(views: views, administration: administration), study: study, to: "\(folder)/nm.dcm")
        return try ["ct/0001.dcm", "pt/0001.dcm", "rtstruct.dcm", "nm.dcm"].map { name in
            [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")))
        }
    }
}
