import Foundation

/// The regular files below a folder, in a fixed order.
enum FolderContents {
    /// More files than this are no study.
    static let fileLimit = 100_000

    /// - Throws: ``StudyProblem/needsInput(code:fields:)`` when there is no such folder or it holds too much.
    static func paths(below folder: String) throws(StudyProblem) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue,
            let walker = FileManager.default.enumerator(atPath: folder)
        else { throw .needsInput(code: "folder-missing", fields: [folder]) }
        var paths: [String] = []
        for case let name as String in walker {
            guard walker.fileAttributes?[.type] as? FileAttributeType == .typeRegular else { continue }
            paths.append("\(folder)/\(name)")
            guard paths.count <= fileLimit else { throw .refused(code: "folder-too-large") }
        }
        return paths.sorted()
    }
}
