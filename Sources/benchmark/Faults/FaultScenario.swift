import Jobs

/// One way in which a worker, its database or its machine fails.
enum FaultScenario: Hashable {
    case kill
    /// SIGSTOP beyond the lease, then SIGCONT.
    case stop
    case killAt(Failpoint)
    /// SIGSTOP at that place beyond the lease, then SIGCONT: what it still writes comes too late.
    case stopAt(Failpoint)
    case databaseRestarted
    case databaseCrashed
    case backendsTerminated
    case connectionHalfOpen
    case connectionsExhausted
    case diskFull
    case childOutOfMemory

    static let all: [FaultScenario] =
        [.kill, .stop] + Failpoint.allCases.map { .killAt($0) }
        + [
            .stopAt(.afterClaim), .stopAt(.afterResultFiles), .stopAt(.beforeFinishCommits), .databaseRestarted,
            .databaseCrashed, .backendsTerminated, .connectionHalfOpen, .connectionsExhausted, .diskFull,
            .childOutOfMemory,
        ]

    var name: String {
        switch self {
        case .kill: "worker killed in a run"
        case .stop: "worker stopped beyond its lease, then continued"
        case .killAt(let place): "worker killed at \(place.rawValue)"
        case .stopAt(let place): "worker stopped at \(place.rawValue) beyond its lease, then continued"
        case .databaseRestarted: "PostgreSQL restarted"
        case .databaseCrashed: "PostgreSQL crashed and recovered"
        case .backendsTerminated: "all sessions terminated"
        case .connectionHalfOpen: "connections half-open beyond the lease"
        case .connectionsExhausted: "no connection left at the database"
        case .diskFull: "disk of results full"
        case .childOutOfMemory: "child out of memory"
        }
    }

    var failpoints: String? {
        switch self {
        // Not the first job, so that one has been done before and others follow.
        case .killAt(let place): "\(place.rawValue)=kill@3"
        case .stopAt(let place): "\(place.rawValue)=stop@3"
        default: nil
        }
    }
}
