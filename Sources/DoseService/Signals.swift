import Dispatch
import Glibc

/// Signals as streams.
enum Signals {
    /// The first element means: end.
    static func ending() -> AsyncStream<Int32> { stream(of: [SIGTERM, SIGINT]) }

    /// Each element means: read certificates again.
    static func hangups() -> AsyncStream<Int32> { stream(of: [SIGHUP]) }

    private static func stream(of numbers: [Int32]) -> AsyncStream<Int32> {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        // Only cancelled, and only once, when the stream ends.
        nonisolated(unsafe) let sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { continuation.yield(number) }
            source.activate()
            return source
        }
        // The sources live as long as the stream.
        continuation.onTermination = { _ in sources.forEach { $0.cancel() } }
        return stream
    }
}
