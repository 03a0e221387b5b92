import CPostgres

/// Stops the statement that runs on a connection, from any thread; frees libpq's object when it goes.
public final class StatementCancellation: Sendable {
    // libpq documents PQcancel as safe from any thread, and nothing else touches the object.
    private nonisolated(unsafe) let handle: OpaquePointer

    init(_ handle: OpaquePointer) {
        self.handle = handle
    }

    deinit { PQfreeCancel(handle) }

    /// Asks the server to stop; the statement then fails with ``SQLState/queryCanceled``. Opens a connection of its own
    /// and blocks until the server has read the request, so it does not belong on Swift's cooperative threads.
    ///
    /// - Returns: whether the request was delivered, not whether anything was stopped.
    @discardableResult
    public func cancel() -> Bool {
        var message = [CChar](repeating: 0, count: 256)
        return PQcancel(handle, &message, Int32(message.count)) == 1
    }
}
