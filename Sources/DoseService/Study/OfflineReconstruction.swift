public import Tomography
import DICOM
import Foundation

/// The offline command: folders of DICOM to a folder of results.
public struct OfflineReconstruction {
    private let planarFolder, anatomyFolder, outputFolder, method: String
    private let siteFile: String?

    public init(
        planarFolder: String, anatomyFolder: String, outputFolder: String, method: String, siteFile: String?
    ) {
        (self.planarFolder, self.anatomyFolder) = (planarFolder, anatomyFolder)
        (self.outputFolder, self.method, self.siteFile) = (outputFolder, method, siteFile)
    }

    /// - Throws: ``StudyProblem``.
    public func perform(progress: (Double, String) -> Void) throws(StudyProblem) -> ResultSummary {
        let sites = try siteFile.map { path throws(StudyProblem) in [try SiteFile.read(path)] } ?? []
        let planar = try FolderContents.paths(below: planarFolder)
        let anatomy = try FolderContents.paths(below: anatomyFolder)
        let now = LocalTimestamp.now
        let request = ReconstructionRun.Request(
            planarPaths: planar, anatomyPaths: anatomy, sites: sites, outputFolder: outputFolder, method: method,
            namespace: "offline \(UUID().uuidString)", createdAt: now)
        return try ReconstructionRun(request).perform(progress: progress)
    }
}

/// A camera's description on disk.
public enum SiteFile {
    /// A description is a page, not a book.
    private static let byteLimit = 1 << 20

    /// - Throws: ``StudyProblem/needsInput(code:fields:)`` naming the field that is wrong.
    public static func read(_ path: String) throws(StudyProblem) -> CameraSite {
        guard let data = FileManager.default.contents(atPath: path), data.count <= byteLimit else {
            throw .needsInput(code: "site-file-missing", fields: [path])
        }
        do {
            let site = try JSONDecoder().decode(CameraSite.self, from: data)
            _ = try site.makeCollimator()
            guard site.fieldOfViewMillimetres.count == 2, site.fieldOfViewMillimetres.allSatisfy({ $0 > 0 }) else {
                throw StudyProblem.needsInput(code: "site-file-invalid", fields: ["field_of_view_mm"])
            }
            guard site.calibration?.values.allSatisfy({ $0 > 0 && $0.isFinite }) ?? true else {
                throw StudyProblem.needsInput(
                    code: "site-file-invalid", fields: ["calibration_cps_per_mbq_per_head"])
            }
            return site
        } catch let problem as StudyProblem {
            throw problem
        } catch let error as DecodingError {
            throw .needsInput(code: "site-file-invalid", fields: [error.field])
        } catch { throw .needsInput(code: "site-file-invalid", fields: ["collimator"]) }
    }
}

extension DecodingError {
    /// The path of the field that could not be read.
    var field: String {
        let context: Context? =
            switch self {
            case .keyNotFound(let key, let context):
                Context(codingPath: context.codingPath + [key], debugDescription: "")
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context): context
            @unknown default: nil
            }
        let path = context?.codingPath.map(\.stringValue).joined(separator: ".") ?? ""
        return path.isEmpty ? "json" : path
    }
}

extension LocalTimestamp {
    /// The clock on the wall.
    static var now: LocalTimestamp { LocalTimestamp(Date()) }

    init(_ date: Date) {
        let parts = Calendar.current.dateComponents([.year, .month, .day, .hour, .minute, .second], from: date)
        let seconds = (parts.hour ?? 0) * 3600 + (parts.minute ?? 0) * 60 + (parts.second ?? 0)
        self.init(
            year: parts.year ?? 1970, month: parts.month ?? 1, day: parts.day ?? 1, secondsOfDay: Double(seconds))
    }
}
