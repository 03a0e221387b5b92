import Foundation

/// A program that runs beside the demonstration and is stopped with it.
final class Companion {
    let name: String
    private let process = Process()

    /// - Parameter log: file that takes what the program prints.
    /// - Throws: ``DemoError/programMissing(_:)``, ``DemoError/notStarted(_:)``.
    init(_ name: String, _ program: String, _ arguments: [String], log: String) throws(DemoError) {
        self.name = name
        guard let path = Self.find(program) else { throw .programMissing(program) }
        guard FileManager.default.createFile(atPath: log, contents: nil), let output = FileHandle(forWritingAtPath: log)
        else { throw .notStarted(name) }
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = output
        do { try process.run() } catch { throw .notStarted(name) }
    }

    var isRunning: Bool { process.isRunning }

    /// - Returns: the exit status.
    func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    /// Asks it to end, and ends it when it does not within the limit.
    func stop(within seconds: Double = 20) {
        guard process.isRunning else { return }
        process.terminate()
        let end = Date(timeIntervalSinceNow: seconds)
        while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.05) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    private static func find(_ program: String) -> String? {
        if program.hasPrefix("/") { return program }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders: [String] = path.split(separator: ":").map(String.init) + ["/usr/sbin"]
        return folders.map { "\($0)/\(program)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
