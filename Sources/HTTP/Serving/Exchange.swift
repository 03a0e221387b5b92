/// One request and its answer, while they are under way. Touched by the connection's event loop alone.
final class Exchange {
    let head: RequestHead
    /// The number of the request on its connection. It tells a late answer from the one that is awaited.
    let number: Int
    let started: ContinuousClock.Instant
    let trace: TraceContext
    /// Nil when no route matched.
    var routeIndex: Int?
    var parameters: [(name: String, value: String)] = []

    // The request's body.
    var body: [UInt8] = []
    var bodyBytes = 0
    var isBodyComplete = false
    /// What of the service's room for bodies this one takes, until it is answered.
    var bufferedBytes = 0
    var sink: (any BodySink)?
    /// The sink is busy, on a blocking thread.
    var isSinkBusy = false

    // The answer.
    var status: Status = 500
    var answerBytes = 0
    var isChunked = false
    var sendsHeartbeat = false

    init(head: RequestHead, number: Int, started: ContinuousClock.Instant, trace: TraceContext) {
        self.head = head
        self.number = number
        self.started = started
        self.trace = trace
    }
}
