import Foundation
import Postgres
import TestSupport
import Testing

/// The service as a process of its own, and what it says about itself.
final class RunningService: Sendable {
    struct Addresses: Decodable, Equatable {
        let dicomPort, httpPort: UInt16
        let databaseURL: String

        enum CodingKeys: String, CodingKey {
            case dicomPort = "dicom_port"
            case httpPort = "http_port"
            case databaseURL = "database_url"
        }
    }

    enum Failure: Error, Equatable {
        case notStarted(log: String)
    }

    let process: RunningProgram
    let addresses: Addresses

    /// Starts it and waits for the line with its ports.
    ///
    /// - Parameters:
    ///   - arguments: without a word of doses none are computed, so that a test counts its own jobs.
    ///   - state: its state lies in the subfolder `state`; a service that is started there again goes on.
    ///   - environment: on top of this process's own.
    ///   - megabytes: when given, everything but the database lies on a disk of this size that only the process sees.
    init(
        in state: StateFolder, _ arguments: [String] = [], subcommand: String = "run",
        environment: [String: String] = [:], diskMegabytes: Int? = nil
    ) async throws {
        let folder = state.file("state")
        let words =
            [
                Scintivol.program, subcommand, "--state", folder, "--dicom-address", "127.0.0.1", "--dicom-port", "0",
                "--http-port", "0",
            ] + (arguments.contains("--dose") ? [] : ["--dose", "off"]) + arguments
        let started: RunningProgram
        if let diskMegabytes {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            let mount = "mount -t tmpfs -o size=\(diskMegabytes)m small \"$0\" && shift && exec \"$@\""
            started = try RunningProgram(
                "/usr/bin/unshare", ["--mount", "/bin/sh", "-c", mount, folder, folder] + words, name: "service",
                in: state)
        } else {
            started = try RunningProgram(
                words[0], Array(words.dropFirst()), name: "service", in: state,
                environment: environment)
        }
        process = started
        var line: Addresses?
        _ = try await eventually(within: .seconds(240)) {
            line =
                started.output.hasSuffix("\n")
                ? try? JSONDecoder().decode(Addresses.self, from: Data(started.output.utf8)) : nil
            return line != nil
        }
        guard let line else { throw Failure.notStarted(log: started.errors) }
        addresses = line
    }

    /// Sends SIGTERM and waits for the end.
    @discardableResult
    func end(within limit: Duration = .seconds(40)) async throws -> Int32 {
        process.signal(SIGTERM)
        return try await process.status(within: limit)
    }

    /// Ends it as a power cut would.
    func kill() async throws {
        process.signalGroup(SIGKILL)
        #expect(try await process.status() == -SIGKILL)
    }

    func get(_ path: String, _ fields: [String] = []) async throws -> RawAnswer {
        let client = try RawClient(port: addresses.httpPort, timeoutSeconds: 30)
        let lines = ["GET \(path) HTTP/1.1", "Host: localhost", "Connection: close"] + fields
        await client.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        return try await client.receiveAnswer()
    }

    func put(_ path: String, json: String) async throws -> RawAnswer { try await send("PUT", path, json, []) }

    /// Sends a JSON body.
    func post(_ path: String, _ json: String = "", _ fields: [String] = []) async throws -> RawAnswer {
        try await send("POST", path, json, fields)
    }

    private func send(
        _ method: String, _ path: String, _ json: String, _ fields: [String]
    ) async throws -> RawAnswer {
        let client = try RawClient(port: addresses.httpPort, timeoutSeconds: 30)
        let lines =
            [
                "\(method) \(path) HTTP/1.1", "Host: localhost", "Connection: close", "Content-Type: application/json",
                "Content-Length: \(json.utf8.count)",
            ] + fields
        await client.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + json)
        return try await client.receiveAnswer()
    }

    /// Every line of its log so far, as the object that it is.
    var logLines: [[String: String]] {
        process.errors.split(separator: "\n").compactMap {
            try? JSONDecoder().decode([String: String].self, from: Data($0.utf8))
        }
    }

    func decoded<Value: Decodable>(_ type: Value.Type, from path: String) async throws -> Value {
        let answer = try await get(path)
        #expect(answer.status == 200)
        return try JSONDecoder().decode(type, from: Data(answer.body))
    }

    /// Sends files in one association.
    ///
    /// - Parameter port: of a relay that stands between, instead of the service's own.
    func store(_ paths: [String], options: [String] = [], port: UInt16? = nil) async throws -> ProgramRun {
        try await Tool.run(
            "storescu",
            options + [
                "-v", "-aet", "CAMERA", "-aec", "SCINTIVOL", "+sd", "+r", "127.0.0.1", "\(port ?? addresses.dicomPort)",
            ]
                + paths)
    }

    /// One value of the database, for what REST does not show.
    func count(_ sql: String) async throws -> Int {
        let settings = ConnectionSettings(url: addresses.databaseURL)
        return try await onThread {
            try Connection(settings).queryOne(Statement("test.count", "SELECT (\(sql))::bigint AS n"))["n"]
        }
    }

    func execute(_ sql: String) async throws {
        let settings = ConnectionSettings(url: addresses.databaseURL)
        try await onThread { try Connection(settings).runSimple(Statement("test.execute", sql)) }
    }

    func text(_ sql: String) async throws -> String {
        let settings = ConnectionSettings(url: addresses.databaseURL)
        return try await onThread {
            try Connection(settings).queryOne(Statement("test.text", "SELECT (\(sql))::text AS t"))["t"]
        }
    }
}

/// The REST interface's answers, as a client of ours would write them down.
struct CaseAnswer: Decodable {
    struct Export: Decodable {
        let destination, output, state: String
        let attempt: Int
        let last_status: Int?
        let reason: String?
    }

    struct Result: Decodable {
        let id: Int64
        let revision: Int
        let exports: [Export]
    }

    let id: Int64
    let state: String
    let reason: String?
    let fields: [String]
    let revision, instance_count: Int
    let results: [Result]
    let trace: String
}

struct JobAnswer: Decodable {
    let id: Int64
    let kind, state: String
    let priority, attempt, attempt_limit, rescue_count: Int
    let progress: Double?
    let stage, reason: String?
    let revision: Int64
    let created_at: Double
    let started_at, finished_at: Double?
}

struct JobPageAnswer: Decodable {
    let jobs: [JobAnswer]
    let next: Int64?
}

extension RunningService {
    /// Asks for the first case until it stands where it should.
    func firstCase(
        reaches state: String, within limit: Duration = .seconds(300),
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> CaseAnswer {
        var seen: CaseAnswer?
        let holds = try await eventually(within: limit) {
            let answer = try await get("/v1/cases/1")
            guard answer.status == 200 else { return false }
            seen = try JSONDecoder().decode(CaseAnswer.self, from: Data(answer.body))
            return seen?.state == state
        }
        #expect(
            holds, "the case is \(seen?.state ?? "not there") (\(seen?.reason ?? ""))", sourceLocation: sourceLocation)
        return try #require(seen, sourceLocation: sourceLocation)
    }

    func jobs() async throws -> [JobAnswer] { try await decoded(JobPageAnswer.self, from: "/v1/jobs").jobs }
}
