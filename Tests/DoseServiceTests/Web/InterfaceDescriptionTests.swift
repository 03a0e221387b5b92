import DoseService
import Foundation
import HTTP
import Logging
import Postgres
import Testing

/// `openapi.yaml` describes what is routed, and nothing else.
@Suite struct InterfaceDescriptionTests {
    @Test func describesEveryRoute() throws {
        #expect(Self.operations(in: try Self.text()) == Self.routed)
        #expect(!Self.routed.isEmpty)
    }

    private static var routed: Set<String> {
        Set(
            makeRouter().routes.filter { $0.method != .head }.map { "\($0.method.rawValue.uppercased()) \($0.pattern)" }
        )
    }

    static func makeRouter() -> Router {
        // Nothing connects before the first request.
        let pool = Pool(ConnectionSettings(url: "postgresql:///nobody"), countLimit: 1)
        return Routes(
            pool: pool, store: ObjectStore(folder: "/nonexistent"),
            settings: ServiceSettings(stateFolder: "/nonexistent"),
            log: Logger(label: "test")
        ).router()
    }

    /// Every type that an answer may bear is listed, and no other.
    @Test func listsEveryProblemType() throws {
        let text = try Self.text()
        let listed = text.matches(of: #/\/problems\/[a-z-]+/#).map { String($0.output) }
        #expect(Set(listed) == Set(ProblemType.allCases.map(\.uri)))
        let table = text.split(separator: "\n").first { $0.contains("enum: [about:blank, /problems/") }
        let names = try #require(table).split(separator: "[")[1].split(separator: "]")[0].split(separator: ",")
        #expect(names.count == ProblemType.allCases.count + 1)
    }

    /// Whatever a case may ask for has a form that a client can read beforehand.
    @Test func describesEveryAnswer() throws {
        let schema = try Self.text().split(separator: "\n    Answers:\n")[1].split(separator: "\n    Views:")[0]
        let names = schema.matches(of: #/\n {12}([a-z.-]+):/#).map { String($0.output.1) }
        #expect(names.sorted() == CaseAnswers.fields)
    }

    private static func text() throws -> String {
        let repository = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../..").standardized
        return try String(contentsOf: repository.appendingPathComponent("openapi.yaml"), encoding: .utf8)
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
