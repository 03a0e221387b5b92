import Dispatch
import Glibc

/// SIGTERM and SIGINT as a stream.
enum Signals {
    /// The first element means: end.
    static func ending() -> AsyncStream<Int32> {
        let (stream, continuation) = AsyncStream<Int32>.makeStream()
        // Only cancelled, and only once, when the stream ends.
        nonisolated(unsafe) let sources = [SIGTERM, SIGINT].map { number in
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
