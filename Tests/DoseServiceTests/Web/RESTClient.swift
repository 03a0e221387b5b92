import Foundation
import Postgres
import TestSupport
import Testing

/// A service without workers, over rows that a test writes.
struct RESTService {
    let service: RunningService
    let database: ConnectionSettings
    let state: StateFolder

    /// - Parameter body: may end the service itself.
    static func with(_ arguments: [String] = [], _ body: (RESTService) async throws -> Void) async throws {
        let database = try await onThread { try PrivatePostgres.makeDatabase() }
        let state = try StateFolder()
        let service = try await RunningService(
            in: state, ["--database-url", database.url] + arguments, subcommand: "serve")
        try await body(RESTService(service: service, database: database, state: state))
        #expect(try await service.end() == 0)
    }

    func run(_ sql: String...) async throws {
        let database = database
        try await onThread {
            let connection = try Connection(database)
            for text in sql { try connection.runSimple(Statement("test.rows", text)) }
        }
    }

    func number(_ sql: String) async throws -> Int { try await service.count(sql) }

    func text(_ sql: String) async throws -> String { try await service.text(sql) }

    /// A key of this role, made by the command.
    func key(_ role: String, _ options: String...) async throws -> String {
        let arguments = [
            "key", "add", "--database-url", database.url, "--name", "\(role) \(UUID().uuidString)", "--role", role,
        ]
        let made = try await ProgramRun(Scintivol.program, arguments + options)
        #expect(made.status == 0)
        let view = try JSONSerialization.jsonObject(with: Data(made.output.utf8)) as? [String: Any]
        return try #require(view?["key"] as? String)
    }

    func send(
        _ method: String, _ path: String, json: String? = nil, fields: [String] = [], host: String = "localhost"
    ) async throws -> RawAnswer {
        var lines = ["\(method) \(path) HTTP/1.1", "Host: \(host)", "Connection: close"] + fields
        if let json { lines += ["Content-Type: application/json", "Content-Length: \(json.utf8.count)"] }
        let client = try RawClient(port: service.addresses.httpPort, timeoutSeconds: 70)
        await client.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (json ?? ""))
        return try await client.receiveAnswer(toHead: method == "HEAD")
    }
}

extension RawAnswer {
    var members: [String: Any] {
        ((try? JSONSerialization.jsonObject(with: Data(body))) as? [String: Any]) ?? [:]
    }

    /// The last part of a problem's type.
    var problem: String? {
        guard self["Content-Type"] == "application/problem+json" else { return nil }
        return (members["type"] as? String)?.split(separator: "/").last.map(String.init)
    }
}
