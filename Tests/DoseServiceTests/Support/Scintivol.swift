import Foundation
import TestSupport

/// The program that was built together with these tests.
enum Scintivol {
    static let program: String = {
        // This always exists on Linux.
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().appendingPathComponent("scintivol").path
    }()

    static func run(_ arguments: String..., environment: [String: String] = [:]) async throws -> ProgramRun {
        // Making the phantom takes seconds, and minutes on a machine that is busy with other things.
        try await ProgramRun(program, arguments, environment: environment, within: .seconds(600))
    }
}

/// A program of Debian's packages.
enum Tool {
    /// DCMTK sends in small pieces; without this each object waits for a delayed acknowledgement, 40 ms.
    static let environment = ["TCP_NODELAY": "1"]

    static func run(_ name: String, _ arguments: [String]) async throws -> ProgramRun {
        try await ProgramRun("/usr/bin/\(name)", arguments, environment: environment)
    }
}
