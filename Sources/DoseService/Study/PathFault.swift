import Foundation
import Glibc

/// What is wrong with a path on the command line.
enum PathFault {
    /// `--option path: why`, for a path that cannot be read.
    static func line(_ option: String, _ path: String) -> String { "\(option) \(path): \(reading(path))" }

    /// Why something cannot be read as a file.
    static func reading(_ path: String) -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            return "there is no such file"
        }
        if isFolder.boolValue { return "is a folder" }
        return access(path, R_OK) == 0 ? "cannot be used" : "may not be read"
    }

    /// Makes a folder for results.
    ///
    /// - Returns: why nothing can be written to it; nil when it can.
    static func writing(_ path: String) -> String? {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
            return "is a file"
        }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch { return "cannot be made: \(reason(error))" }
        return access(path, W_OK | X_OK) == 0 ? nil : "may not be written"
    }

    private static func reason(_ error: any Error) -> String {
        let code = ((error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError)?.code
        return code.map { String(cString: strerror(Int32($0))).lowercased() } ?? "its parent may not be written"
    }
}

extension OfflineProblem {
    /// Makes the folder that results go to, before any work is done for it.
    static func requireOutput(_ folder: String) throws(OfflineProblem) {
        if let fault = PathFault.writing(folder) {
            throw OfflineProblem(.failed(code: "output-not-written"), found: ["--out \(folder): \(fault)"])
        }
    }

    /// The problem of a command, with the folder that it could not write.
    public init(_ problem: StudyProblem, outputFolder: String) {
        let isOutput = problem.code == "output-not-written"
        let fault = isOutput ? PathFault.writing(outputFolder) ?? "a file could not be written: is the disk full?" : nil
        self.init(problem, found: fault.map { ["--out \(outputFolder): \($0)"] } ?? [])
    }
}
