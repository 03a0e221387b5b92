import Synchronization

/// Which refusals are worth a row of audit: the first of its kind in a minute, so that a caller who tries again and again
/// fills no table.
package final class RejectionWatch: Sendable {
    private static let period = Duration.seconds(60)
    /// Kinds that are told apart in a period; more than these is one flood.
    package static let kindLimit = 100

    private let seen = Mutex((since: ContinuousClock.now, kinds: Set<String>()))

    package init() {}

    package func isNew(_ kind: String, at now: ContinuousClock.Instant = .now) -> Bool {
        seen.withLock { seen in
            if now - seen.since >= Self.period { seen = (now, []) }
            return seen.kinds.count < Self.kindLimit && seen.kinds.insert(kind).inserted
        }
    }
}
