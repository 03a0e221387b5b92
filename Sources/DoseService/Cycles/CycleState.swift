/// Where the dose of one administration stands.
public enum CycleState: String, CaseIterable, Codable, Sendable {
    case collecting
    case needsInput = "needs-input"
    case ready, computing, review, exporting, delivered, failed

    /// A further time point brings a cycle from anywhere back to its start.
    public var successors: Set<CycleState> {
        let revised: Set<CycleState> = [.needsInput, .ready]
        return switch self {
        case .collecting, .needsInput: revised
        case .ready: revised.union([.computing, .failed])
        case .computing: revised.union([.review, .exporting, .delivered, .failed])
        case .review: revised.union([.exporting, .failed])
        case .exporting: revised.union([.delivered, .failed])
        case .delivered, .failed: revised
        }
    }

    /// The states from which one may step to this one, as SQL knows them.
    package var predecessors: [String] {
        Self.allCases.filter { $0.successors.contains(self) || $0 == self }.map(\.rawValue)
    }
}

/// Who let a dose pass, or that nobody did.
enum DoseDecision: String, CaseIterable, Codable, Sendable {
    case approved, rejected
    /// Its checks, where the site's policy is ``DosePolicy/automatic``.
    case automatic
}

/// What becomes of a dose that has been computed.
public enum DosePolicy: String, CaseIterable, Codable, Sendable {
    /// No dose is computed.
    case off
    /// Nothing is sent before somebody has agreed.
    case approval
    /// What passes its checks is sent at once.
    case automatic

    /// Whether a computed dose waits for a person: what fails a check whatever the site has said, and what was asked for
    /// where none are computed by themselves.
    package func waits(afterFailedCheck hasFailed: Bool) -> Bool { hasFailed || self != .automatic }
}
