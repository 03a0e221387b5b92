/// Takes a large upload piece by piece. All calls come from threads that may block, one at a time and in order.
public protocol BodySink: AnyObject, Sendable {
    func receive(_ piece: [UInt8]) throws
    /// The body is complete; the handler follows.
    func finish() throws
    /// The connection ended, or a call threw, before the body was complete. Nothing follows.
    func abandon()
}
