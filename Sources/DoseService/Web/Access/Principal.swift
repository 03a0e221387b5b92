/// What somebody may do. Each role may what the one before it may.
package enum Role: String, CaseIterable, Codable, Comparable, Sendable {
    /// Looks.
    case reader
    /// Sends objects, steers jobs, decides on cases.
    case operator_ = "operator"
    /// Gives keys, describes cameras, reads the audit.
    case admin

    package static func < (left: Role, right: Role) -> Bool {
        allCases.firstIndex(of: left) ?? 0 < allCases.firstIndex(of: right) ?? 0
    }
}

/// Who asks.
package struct Principal: Equatable, Sendable {
    /// As the audit names it.
    package let name: String
    package let role: Role

    /// Everybody on this machine, where no keys are asked for.
    package static let local = Principal(name: "local", role: .admin)
}
