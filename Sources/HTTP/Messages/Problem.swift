/// An error as `application/problem+json`. A handler may throw it.
///
/// - Source: RFC 9457.
public struct Problem: Error, Sendable, Equatable {
    /// A stable URI reference that names the kind of problem; `about:blank` when the status says it all.
    public var type: String
    public var title: String
    public var status: Status
    public var detail: String?
    public var instance: String?
    /// Further members, each a name and its value as JSON (RFC 9457 section 3.2).
    public var extensions: [String: String] = [:]
    /// Fields of the answer beside Content-Type, such as Retry-After.
    public var fields: Fields

    public init(
        _ status: Status, type: String = "about:blank", title: String? = nil, detail: String? = nil,
        instance: String? = nil, fields: Fields = Fields()
    ) {
        self.type = type
        self.title = title ?? status.reason.description
        self.status = status
        self.detail = detail
        self.instance = instance
        self.fields = fields
    }

    public var response: Response {
        var members = "{\"type\":\(Self.quoted(type)),\"title\":\(Self.quoted(title)),\"status\":\(status.code)"
        if let detail { members += ",\"detail\":\(Self.quoted(detail))" }
        if let instance { members += ",\"instance\":\(Self.quoted(instance))" }
        for (name, value) in extensions.sorted(by: { $0.key < $1.key }) {
            members += ",\(Self.quoted(name)):\(value)"
        }
        members += "}"
        var fields = fields
        fields.add("Content-Type", "application/problem+json")
        fields.add("X-Content-Type-Options", "nosniff")
        return Response(status, fields: fields, body: .bytes(Array(members.utf8)))
    }

    /// A JSON string (RFC 8259 section 7).
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
