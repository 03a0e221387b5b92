import Synchronization

/// Which refusals are worth a row of audit: the first of its kind in a minute, so that a caller who tries again and again
/// fills no table.
package final class RejectionWatch: Sendable {
    package enum Look: Sendable {
        case new, known
        /// So many kinds in one period are one event, the last that is told of it.
        case flood
    }

    private static let period = Duration.seconds(60)
    /// Kinds that are told apart in a period.
    package static let kindLimit = 100

    private let seen = Mutex((since: ContinuousClock.now, kinds: Set<String>()))

    package init() {}

    package func look(_ kind: String, at now: ContinuousClock.Instant = .now) -> Look {
        seen.withLock { seen in
            if now - seen.since >= Self.period { seen = (now, []) }
            guard seen.kinds.count < Self.kindLimit, seen.kinds.insert(kind).inserted else { return .known }
            return seen.kinds.count == Self.kindLimit ? .flood : .new
        }
    }

    /// What could not be written down is new the next time.
    package func forget(_ kind: String) { seen.withLock { _ = $0.kinds.remove(kind) } }
}
