public import Foundation
public import Tomography

/// A camera's description as it was read: the description, or everything that is wrong with it.
public struct CameraFile: Sendable {
    /// Nil when it lacks what no description can lack.
    public let site: CameraSite?
    public let problems: [ConfigurationProblem]
    /// What can be used and is probably not meant so.
    public let warnings: [ConfigurationProblem]
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
            (site, problems, warnings) = (nil, [JSONValue.notJSON(json)], [])
            return
        }
        let reader = ConfigurationReader(value, path: "")
        if case .object(let values) = value, !values.isEmpty, !values.keys.contains(where: CameraSite.keys.contains) {
            let detail = "this describes no camera: a site's configuration is given as --config"
            (site, problems) = (nil, [ConfigurationProblem(path: ".", code: "not-a-camera", detail: detail)])
        } else {
            site = CameraSite.read(reader)
            problems = reader.finish() + RepeatedKeys(in: json).problems
        }
        warnings = reader.warnings
    }

    /// Whether an object is rather this than anything else: at least half of its keys are a camera's.
    static func describesCamera(_ value: JSONValue) -> Bool {
        guard case .object(let values) = value, !values.isEmpty else { return false }
        return 2 * values.keys.count { CameraSite.keys.contains($0) } >= values.count
    }
}
