/// The routes as a tree of path segments. A literal segment goes before a parameter.
struct RouteTree: Sendable {
    enum Resolution {
        case route(index: Int, parameters: [(name: String, value: String)])
        case notFound
        /// The path exists; `allowed` is the value of Allow.
        case otherMethods(allowed: String)
    }

    private struct Node: Sendable {
        var literals: [(octets: [UInt8], node: Int)] = []
        var parameter: Int?
        var routes: [(method: Method, index: Int)] = []
        var allowed = ""
    }

    private var nodes = [Node()]
    private let parameterNames: [[String]]

    init(_ routes: [Route]) {
        let patterns = routes.map { RoutePattern($0.pattern) }
        parameterNames = patterns.map(\.parameterNames)
        for (index, pattern) in patterns.enumerated() {
            let leaf = pattern.segments.reduce(0) { insert($1, under: $0) }
            nodes[leaf].routes.append((routes[index].method, index))
        }
        for index in nodes.indices {
            nodes[index].allowed = Self.allowed(nodes[index].routes.map(\.method))
        }
    }

    private mutating func insert(_ segment: RoutePattern.Segment, under parent: Int) -> Int {
        switch segment {
        case .literal(let octets):
            if let known = nodes[parent].literals.first(where: { $0.octets == octets }) { return known.node }
            nodes[parent].literals.append((octets, nodes.count))
        case .parameter:
            if let known = nodes[parent].parameter { return known }
            nodes[parent].parameter = nodes.count
        }
        nodes.append(Node())
        return nodes.count - 1
    }

    /// GET brings HEAD, and OPTIONS is answered everywhere.
    private static func allowed(_ methods: [Method]) -> String {
        Method.routable.filter { method in
            methods.contains(method) || method == .options || (method == .head && methods.contains(.get))
        }.map(\.rawValue).joined(separator: ", ")
    }

    func resolve(_ method: Method, _ path: ArraySlice<UInt8>) -> Resolution {
        var captures: [Range<Int>] = []
        guard let leaf = descend(0, path, from: path.startIndex, &captures) else { return .notFound }
        let node = nodes[leaf]
        guard
            let found = node.routes.first(where: { $0.method == method })
                ?? (method == .head ? node.routes.first { $0.method == .get } : nil)
        else { return .otherMethods(allowed: node.allowed) }
        if captures.isEmpty { return .route(index: found.index, parameters: []) }
        let parameters = zip(parameterNames[found.index], captures).map {
            (name: $0, value: String(decoding: path[$1], as: UTF8.self))
        }
        return .route(index: found.index, parameters: parameters)
    }

    /// - Parameter slash: where the next segment's slash stands.
    private func descend(
        _ node: Int, _ path: ArraySlice<UInt8>, from slash: Int, _ captures: inout [Range<Int>]
    ) -> Int? {
        guard slash < path.endIndex else { return nodes[node].routes.isEmpty ? nil : node }
        let start = slash + 1
        let end = path[start...].firstIndex(of: Octet.slash) ?? path.endIndex
        for (octets, child) in nodes[node].literals where octets.elementsEqual(path[start..<end]) {
            if let leaf = descend(child, path, from: end, &captures) { return leaf }
        }
        // A parameter is never empty: `/jobs/` is not the job without a name.
        guard let child = nodes[node].parameter, end > start else { return nil }
        captures.append(start..<end)
        if let leaf = descend(child, path, from: end, &captures) { return leaf }
        captures.removeLast()
        return nil
    }
}
