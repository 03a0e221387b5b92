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
        let isMade = (try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)) != nil
        guard isMade else { return "cannot be made: \(obstacle(above: path))" }
        return access(path, W_OK | X_OK) == 0 ? nil : "may not be written"
    }

    /// The nearest folder above a path that is there is the one that will not have it.
    private static func obstacle(above path: String) -> String {
        var parent = URL(fileURLWithPath: path).deletingLastPathComponent()
        var isFolder: ObjCBool = false
        while !FileManager.default.fileExists(atPath: parent.path, isDirectory: &isFolder), parent.path != "/" {
            parent.deleteLastPathComponent()
        }
        return isFolder.boolValue ? "\(parent.path) may not be written" : "\(parent.path) is a file"
    }
}

extension OfflineProblem {
    /// Makes the folder that results go to, before any work is done for it.
    static func requireOutput(_ folder: String) throws(OfflineProblem) {
        if let fault = PathFault.writing(folder) {
            throw OfflineProblem(.failed(code: "output-not-written"), found: ["--out \(folder): \(fault)"])
        }
    }

    /// Makes the folder of a file that long work ends with.
    public static func requireFile(_ path: String) throws(OfflineProblem) {
        var isFolder: ObjCBool = false
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let fault = isThere && isFolder.boolValue ? "is a folder" : PathFault.writing(folder).map { "\(folder) \($0)" }
        if let fault {
            throw OfflineProblem(.failed(code: "output-not-written"), found: ["--out \(path): \(fault)"])
        }
    }

    /// The problem of a command, with the folder that it could not write.
    public init(_ problem: StudyProblem, outputFolder: String) {
        let isOutput = problem.code == "output-not-written"
        let fault = isOutput ? PathFault.writing(outputFolder) ?? "a file could not be written: is the disk full?" : nil
        self.init(problem, found: fault.map { ["--out \(outputFolder): \($0)"] } ?? [])
    }
}
