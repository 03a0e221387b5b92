/// Where one object for one destination stands.
public enum ExportState: String, CaseIterable, Codable, Sendable {
    case pending, sending, stored, confirmed, refused

    public var successors: Set<ExportState> {
        switch self {
        case .pending: [.sending]
        // Back to pending: another try, or the sender has died.
        case .sending: [.pending, .stored, .refused]
        // Back to pending: the archive has not got it after all; refused: it never does.
        case .stored: [.confirmed, .pending, .refused]
        case .confirmed, .refused: []
        }
    }
}
