/// Where a case stands.
public enum CaseState: String, CaseIterable, Codable, Sendable {
    case collecting
    case needsInput = "needs-input"
    case ready, reconstructing, review, exporting, delivered, failed

    /// Late instances bring a case from anywhere back to its assembly.
    public var successors: Set<CaseState> {
        let reassembled: Set<CaseState> = [.needsInput, .ready]
        return switch self {
        case .collecting: reassembled
        case .needsInput: reassembled
        case .ready: reassembled.union([.reconstructing, .failed])
        case .reconstructing: reassembled.union([.review, .exporting, .delivered, .failed])
        case .review: reassembled.union([.exporting, .failed])
        case .exporting: reassembled.union([.delivered, .failed])
        case .delivered, .failed: reassembled
        }
    }

    /// The states from which one may step to this one, as SQL knows them.
    package var predecessors: [String] {
        Self.allCases.filter { $0.successors.contains(self) || $0 == self }.map(\.rawValue)
    }
}
