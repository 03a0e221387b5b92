/// A path pattern in its segments.
struct RoutePattern {
    enum Segment: Equatable {
        case literal([UInt8])
        case parameter(name: String)
    }

    let segments: [Segment]

    init(_ pattern: String) {
        precondition(pattern.utf8.first == Octet.slash, "a pattern begins with a slash")
        segments = pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map { segment in
            guard segment.first == "{" else {
                precondition(!segment.contains { "{}*".contains($0) }, "a segment is a literal or {name}")
                return .literal(Array(segment.utf8))
            }
            precondition(segment.last == "}" && segment.count > 2, "a parameter is {name}")
            return .parameter(name: String(segment.dropFirst().dropLast()))
        }
    }

    var parameterNames: [String] {
        segments.compactMap { if case .parameter(let name) = $0 { name } else { nil } }
    }

    /// The pattern without its parameters' names: two patterns of one shape match the same paths.
    var shape: [Segment] {
        segments.map { if case .parameter = $0 { .parameter(name: "") } else { $0 } }
    }
}
