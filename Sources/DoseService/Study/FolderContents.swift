import Foundation

/// The DICOM files below a folder, in a fixed order; what else lies there is passed over.
enum FolderContents {
    /// More files than this are no study.
    static let fileLimit = 100_000

    /// - Parameter folder: a folder, or one DICOM file.
    /// - Throws: ``StudyProblem`` when there is no such folder, it holds too much, or the file is no DICOM.
    static func paths(below folder: String) throws(StudyProblem) -> [String] {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
            throw .needsInput(code: "folder-missing", fields: [folder])
        }
        guard isFolder.boolValue else {
            guard isDICOM(folder) else { throw .needsInput(code: "no-dicom", fields: [folder]) }
            return [folder]
        }
        guard let walker = FileManager.default.enumerator(atPath: folder) else {
            throw .needsInput(code: "folder-missing", fields: [folder])
        }
        var paths: [String] = []
        for case let name as String in walker {
            guard walker.fileAttributes?[.type] as? FileAttributeType == .typeRegular else { continue }
            let path = "\(folder)/\(name)"
            if isDICOM(path) { paths.append(path) }
            guard paths.count <= fileLimit else { throw .refused(code: "folder-too-large") }
        }
        return paths.sorted()
    }

    /// Whether a file starts as DICOM files do and is no directory of others.
    ///
    /// - Source: DICOM PS3.10 section 7.1; PS3.10 section 8.6 for the name.
    private static func isDICOM(_ path: String) -> Bool {
        guard !path.hasSuffix("/DICOMDIR"), let file = FileHandle(forReadingAtPath: path) else { return false }
        // A file that cannot be read here is no object for anybody else either.
        let start = try? file.read(upToCount: 132)
        return start?.suffix(4) == Data("DICM".utf8) && start?.count == 132
    }
}
