public import Foundation
public import Tomography

/// A camera's description as it was read: the description, or everything that is wrong with it.
public struct CameraFile: Sendable {
    /// Nil when it lacks what no description can lack.
    public let site: CameraSite?
    public let problems: [ConfigurationProblem]
    /// SHA-256 of the bytes.
    public let digest: String

    /// A description is a page, not a book.
    private static let byteLimit = 1 << 20

    /// - Returns: nil when there is no such file, or it is no page.
    public init?(contentsOf path: String) {
        guard let data = FileManager.default.contents(atPath: path), data.count <= Self.byteLimit else { return nil }
        self.init(json: data)
    }

    public init(json: Data) {
        digest = Digest.hex(of: Array(json))
        guard let value = JSONText.decode(JSONValue.self, from: String(decoding: json, as: UTF8.self)) else {
            (site, problems) = (nil, [JSONValue.notJSON(json)])
            return
        }
        (site, problems) = Self.read(value, json)
    }

    /// Reads a description inside another document.
    init(_ value: JSONValue) {
        let json = Data(JSONText.encode(value).utf8)
        digest = Digest.hex(of: Array(json))
        (site, problems) = Self.read(value, json)
    }

    /// Whether an object is rather this than anything else: at least half of its keys are a camera's.
    static func describesCamera(_ value: JSONValue) -> Bool {
        guard case .object(let values) = value, !values.isEmpty else { return false }
        return 2 * values.keys.count { CameraSite.keys.contains($0) } >= values.count
    }

    private static func read(_ value: JSONValue, _ json: Data) -> (CameraSite?, [ConfigurationProblem]) {
        guard case .object(let values) = value else {
            return (nil, [ConfigurationProblem(path: ".", code: "not-an-object")])
        }
        guard values.isEmpty || values.keys.contains(where: CameraSite.keys.contains) else {
            let detail = "this describes no camera: a site's configuration is given as --config"
            return (nil, [ConfigurationProblem(path: ".", code: "not-a-camera", detail: detail)])
        }
        var problems = unknown(values.keys, known: CameraSite.keys)
        if case .object(let collimator)? = values["collimator"] {
            problems += unknown(collimator.keys, known: CameraSite.collimatorKeys).map { $0.below("collimator") }
        }
        do {
            let site = try JSONDecoder().decode(CameraSite.self, from: json)
            return (site, problems + site.problems)
        } catch let error as DecodingError {
            return (nil, [error.problem] + problems)
        } catch {
            return (nil, [ConfigurationProblem(path: ".", code: "wrong-form")] + problems)
        }
    }

    private static func unknown(_ keys: some Sequence<String>, known: [String]) -> [ConfigurationProblem] {
        keys.sorted().filter { !known.contains($0) }.map { key in
            ConfigurationProblem(
                path: key, code: "unknown-key", detail: NearestName.advice(for: key, among: known))
        }
    }
}

extension DecodingError {
    /// The path of the field that could not be read, and what it lacks.
    fileprivate var problem: ConfigurationProblem {
        switch self {
        case .keyNotFound(let key, let context):
            ConfigurationProblem(path: Self.path(context.codingPath + [key]), code: "missing")
        case .valueNotFound(_, let context):
            ConfigurationProblem(path: Self.path(context.codingPath), code: "missing")
        case .typeMismatch(let type, let context):
            ConfigurationProblem(
                path: Self.path(context.codingPath), code: "wrong-form", detail: "must be \(Self.word(type))")
        case .dataCorrupted(let context):
            ConfigurationProblem(path: Self.path(context.codingPath), code: "wrong-form")
        @unknown default: ConfigurationProblem(path: ".", code: "wrong-form")
        }
    }

    private static func path(_ keys: [any CodingKey]) -> String {
        keys.isEmpty ? "." : keys.map(\.stringValue).joined(separator: ".")
    }

    private static func word(_ type: any Any.Type) -> String {
        switch type {
        case is Double.Type: "a number"
        case is String.Type: "text"
        case is any ExpressibleByArrayLiteral.Type: "a list"
        default: "an object"
        }
    }
}
