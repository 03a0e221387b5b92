import Glibc

/// A plain thread that nobody joins.
///
/// A connection blocks for as long as its peer likes, which the threads of Swift's concurrency must not do.
enum DetachedThread {
    /// Handlers scan files and speak to a database on this stack.
    private static let stackByteCount = 1 << 20

    private final class Work {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// - Returns: false when the system has no thread left; the work is not done then.
    static func start(_ body: @escaping @Sendable () -> Void) -> Bool {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, stackByteCount)

        // The thread takes over this reference.
        let work = Unmanaged.passRetained(Work(body))
        var thread = pthread_t()
        let outcome = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, work.toOpaque())
        if outcome != 0 { work.release() }
        return outcome == 0
    }
}
