/// Where a job stands.
///
///     available -> running -> completed | retryable -> available | discarded | cancelled
///
/// ``running`` returns to ``available`` when its lease ends, when its worker snoozes it and when a worker that stops
/// gives it back.
public enum JobState: String, CaseIterable, Codable, Sendable {
    case available, running, retryable, completed, discarded, cancelled

    /// The states that may follow this one; none follows a state that is an end.
    public var successors: Set<JobState> {
        switch self {
        case .available: [.running, .cancelled]
        case .running: [.available, .retryable, .completed, .discarded, .cancelled]
        case .retryable: [.available, .cancelled]
        case .completed, .discarded, .cancelled: []
        }
    }

    /// Whether the job has ended for good.
    public var isEnd: Bool { successors.isEmpty }

    public static let live: Set<JobState> = Set(allCases.filter { !$0.isEnd })
}
