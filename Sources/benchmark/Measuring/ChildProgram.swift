import Foundation
import Glibc

/// Another program that runs beside the benchmark.
final class ChildProgram: @unchecked Sendable {
    // Process is not Sendable; it is started once and then only asked to end, behind its own lock.
    private let process = Process()
    private let output = Pipe()
    let name: String

    /// Where a program of this name lies, or nil; also in the folders of system programs.
    static func find(_ name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin"
        let versions = (13...18).reversed().map { "/usr/lib/postgresql/\($0)/bin" }
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"] + versions
        return folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// A program built beside this one.
    static func sibling(_ name: String) -> String? {
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else { return nil }
        let path = URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent(name).path
        return FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }

    init(_ path: String, _ arguments: [String], environment: [String: String], in folder: String) throws {
        name = URL(fileURLWithPath: path).lastPathComponent
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try Self.withoutBlockedSignals { try process.run() }
    }

    /// A thread of Dispatch blocks every signal, and a program started by it would never see the end of its alarm.
    private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    var identifier: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// Ends it as a power cut would, also when it stands still.
    func kill() {
        // The number of a program that has ended may be another's by now.
        guard process.isRunning else { return }
        Glibc.kill(identifier, SIGKILL)
        process.waitUntilExit()
    }

    /// The first line that the program prints; blocks until it comes.
    func firstLine() -> String? {
        var bytes: [UInt8] = []
        while let byte = try? output.fileHandleForReading.read(upToCount: 1)?.first, byte != UInt8(ascii: "\n") {
            bytes.append(byte)
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }

    /// Everything the program prints until its end.
    ///
    /// - Throws: ``MeasuringError/programFailed(_:status:)``.
    func wholeOutput() throws -> String {
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw MeasuringError.programFailed(name, status: process.terminationStatus)
        }
        return String(decoding: data, as: UTF8.self)
    }

    func stop() {
        guard process.isRunning else { return }
        process.terminate()
        process.waitUntilExit()
    }

    /// Resident memory of the program and its children, without pages of files.
    ///
    /// - Units: bytes.
    var residentBytes: Int { Self.family(of: identifier).map(Self.residentBytes(of:)).reduce(0, +) }

    /// Processor time of the program and its children, ended ones too.
    ///
    /// - Units: seconds.
    var processorSeconds: Double { Self.family(of: identifier).map(Self.processorSeconds(of:)).reduce(0, +) }

    private static func family(of process: Int32) -> [Int32] {
        let list = "/proc/\(process)/task/\(process)/children"
        let children = (try? String(contentsOfFile: list, encoding: .utf8)) ?? ""
        return [process] + children.split(separator: " ").compactMap { Int32($0) }.flatMap { family(of: $0) }
    }

    private static func residentBytes(of process: Int32) -> Int {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }),
            let kibibytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return kibibytes * 1024
    }

    private static func processorSeconds(of process: Int32) -> Double {
        guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { return 0 }
        // After the name: utime, stime, cutime and cstime are fields 14 to 17 of proc(5).
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields[11...14].compactMap { Double($0) }.reduce(0, +) / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
