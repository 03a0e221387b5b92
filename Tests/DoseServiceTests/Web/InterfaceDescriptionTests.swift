import DoseService
import Foundation
import Jobs
import Postgres
import Testing

/// `openapi.yaml` describes what is routed, and nothing else.
@Suite struct InterfaceDescriptionTests {
    @Test func describesEveryRoute() throws {
        let repository = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../..").standardized
        let text = try String(contentsOf: repository.appendingPathComponent("openapi.yaml"), encoding: .utf8)
        #expect(Self.operations(in: text) == Self.routed)
        #expect(!Self.routed.isEmpty)
    }

    private static var routed: Set<String> {
        // Nothing connects before the first request.
        let pool = Pool(ConnectionSettings(url: "postgresql:///nobody"), countLimit: 1)
        let queue = JobQueue(pool: pool)
        let store = ObjectStore(folder: "/nonexistent")
        let routes = Routes(
            pool: pool, queue: queue, store: store, metrics: Metrics(queue: queue, listener: nil),
            readiness: Readiness(pool: pool, store: store, diskReserveBytes: 0))
        return Set(routes.router().routes.map { "\($0.method.rawValue.uppercased()) \($0.pattern)" })
    }

    /// The operations below `paths`, by the indentation of their lines.
    private static func operations(in text: String) -> Set<String> {
        let methods: Set = ["get", "put", "post", "delete", "patch", "head", "options"]
        var found: Set<String> = []
        var isInPaths = false
        var path = ""
        for line in text.split(separator: "\n") where !line.allSatisfy(\.isWhitespace) {
            let indentation = line.prefix { $0 == " " }.count
            let key = line.dropFirst(indentation).prefix { $0 != ":" }
            if indentation == 0 { isInPaths = key == "paths" }
            if isInPaths, indentation == 2 { path = key.trimmingCharacters(in: ["\"", "'"]) }
            if isInPaths, indentation == 4, methods.contains(String(key)) {
                found.insert("\(key.uppercased()) \(path)")
            }
        }
        return found
    }
}
