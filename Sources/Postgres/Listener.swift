import Dispatch
import Glibc
import Synchronization

/// Listens to NOTIFY on a connection of its own and connects again, with growing pauses, whenever it is lost.
///
/// A notification is a hint: those sent while no connection stood are gone, so ``Event/connected`` means "look now".
public final class Listener: Sendable {
    public enum Event: Equatable, Sendable {
        /// From here on nothing is missed until ``disconnected``.
        case connected
        case notification(channel: String, payload: String)
        case disconnected
    }

    private let settings: ConnectionSettings
    private let channels: [String]
    private let timing: Timing
    private let onEvent: @Sendable (Event) -> Void
    private let wakeup: WakeupPipe
    private let queue = DispatchQueue(label: "postgres.listener")

    /// How long the listener waits for what.
    public struct Timing: Sendable {
        public var firstPause: Duration = .milliseconds(200)
        public var longestPause: Duration = .seconds(10)
        /// A connection that has been silent this long is asked whether it still stands.
        public var silenceLimit: Duration = .seconds(30)

        public init() {}
    }

    /// Starts listening at once.
    ///
    /// - Parameter onEvent: called on the listener's own thread; it must not block.
    /// - Throws: ``PostgresError/invalidChannel`` for a channel that is no plain identifier.
    public init(
        _ settings: ConnectionSettings, channels: [String], timing: Timing = Timing(),
        onEvent: @escaping @Sendable (Event) -> Void
    ) throws(PostgresError) {
        let isPlain = channels.allSatisfy { channel in
            !channel.isEmpty && channel.utf8.allSatisfy { $0 == UInt8(ascii: "_") || (97...122).contains($0) }
        }
        guard isPlain else { throw .invalidChannel }
        self.settings = settings
        self.channels = channels
        self.timing = timing
        self.onEvent = onEvent
        wakeup = try WakeupPipe()
        // The closure holds what it needs but not the listener, which stops when its owner lets go of it.
        queue.async { [settings, channels, timing, onEvent, wakeup] in
            ListenerLoop(settings: settings, channels: channels, timing: timing, onEvent: onEvent, wakeup: wakeup).run()
        }
    }

    deinit { wakeup.signal() }

    /// Stops for good; safe to call more than once.
    public func stop() { wakeup.signal() }
}

/// What runs on the listener's thread.
private struct ListenerLoop {
    let settings: ConnectionSettings
    let channels: [String]
    let timing: Listener.Timing
    let onEvent: @Sendable (Listener.Event) -> Void
    let wakeup: WakeupPipe

    func run() {
        var pause = timing.firstPause
        while !wakeup.isSignalled {
            var hasConnected = false
            do throws(PostgresError) {
                let connection = try Connection(settings)
                for channel in channels {
                    try connection.runSimple(Statement("LISTEN", "LISTEN \(channel)"))
                }
                hasConnected = true
                pause = timing.firstPause
                onEvent(.connected)
                try deliver(from: connection)
            } catch {
                // Whatever ended the session, the remedy is another one after a pause.
                if hasConnected { onEvent(.disconnected) }
                wakeup.wait(atMost: pause)
                pause = min(pause * 2, timing.longestPause)
            }
        }
    }

    /// Returns when the listener was stopped; throws when the connection is lost.
    private func deliver(from connection: Connection) throws(PostgresError) {
        while !wakeup.isSignalled {
            while let (channel, payload) = try connection.nextNotification() {
                onEvent(.notification(channel: channel, payload: payload))
            }
            if !wakeup.wait(atMost: timing.silenceLimit, orReadable: connection.socket) {
                try connection.runSimple(Statement("still there", "SELECT 1"))
            }
        }
    }
}
