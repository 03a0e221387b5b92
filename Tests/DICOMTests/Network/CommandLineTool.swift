import Foundation

/// One run of a DCMTK program.
struct CommandLineTool {
    let status: Int32
    let output: String

    /// Runs to the end; output and errors come together.
    init(_ name: String, _ arguments: [String]) throws {
        let running = try RunningTool(name, arguments)
        output = running.outputToEnd()
        status = running.waitForStatus()
    }
}

/// A DCMTK program that goes on until it is stopped.
final class RunningTool {
    private let process = Process()
    private let pipe = Pipe()

    init(_ name: String, _ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/" + name)
        process.arguments = arguments
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    func outputToEnd() -> String {
        String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    func waitForStatus() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
    }
}
