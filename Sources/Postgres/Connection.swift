import CPostgres
import Glibc

/// One session with PostgreSQL. Not shared between threads; closed when it goes.
///
/// Every call ends: the server stops a statement after ``ConnectionSettings/statementTimeout``, and a peer that does not
/// even say so is given up a little later.
public final class Connection: StatementRunner {
    let settings: ConnectionSettings
    private let handle: OpaquePointer
    private var prepared: Set<String> = []
    /// Set when the session's state is unknown; nothing is sent any more.
    private var isBroken = false
    private var isInTransaction = false
    /// The place of the last error in its statement's text, in characters from 1.
    private var lastErrorPosition: Int?

    /// - Throws: ``PostgresError/connectionFailed(reason:)``
    public init(_ settings: ConnectionSettings) throws(PostgresError) {
        self.settings = settings
        let keywords = settings.keywords
        let names = keywords.map { strdup($0.0) }
        let values = keywords.map { strdup($0.1) }
        defer { (names + values).forEach { free($0) } }
        let connection = PQconnectdbParams(
            names.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
        // libpq returns no handle only when memory has run out.
        guard let connection else { throw .connectionFailed(reason: "out of memory") }
        handle = connection
        guard PQstatus(handle) == CONNECTION_OK else {
            throw .connectionFailed(reason: Connection.firstLine(PQerrorMessage(handle)))
        }
        PQsetnonblocking(handle, 1)
        // libpq prints notices to standard error, and they may quote values.
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        try runSimple(settings.sessionSetup)
    }

    deinit { PQfinish(handle) }

    @discardableResult
    public func query(_ statement: Statement, _ parameters: [Parameter]) throws(PostgresError) -> Rows {
        try query(statement, parameters, sent: {})
    }

    /// - Parameter sent: called when the request has left and its answer has not been read.
    func query(
        _ statement: Statement, _ parameters: [Parameter], sent: () -> Void
    ) throws(PostgresError) -> Rows {
        try prepare(statement)
        try send(statement.name, parameters, statement: statement.name)
        try flush(statement.name, until: ContinuousClock.now + settings.statementTimeout)
        sent()
        return try collect(statement.name)
    }

    /// Runs SQL without parameters, which may hold several statements, and drops what it returns.
    public func runSimple(_ statement: Statement) throws(PostgresError) {
        try begin(statement.name)
        try check(PQsendQuery(handle, statement.sql), statement.name)
        _ = try collect(statement.name)
    }

    /// Something another thread can stop the running statement with.
    public func cancellation() -> StatementCancellation? {
        PQgetCancel(handle).map(StatementCancellation.init)
    }

    /// Whether the session can serve somebody else: alive, idle and outside a transaction.
    var isReusable: Bool {
        guard !isBroken, PQstatus(handle) == CONNECTION_OK, PQtransactionStatus(handle) == PQTRANS_IDLE else {
            return false
        }
        // A server that went away has closed the socket; reading finds that without a round trip.
        return PQconsumeInput(handle) == 1 && PQstatus(handle) == CONNECTION_OK
    }

    var socket: Int32 { PQsocket(handle) }

    /// The next notification that has already arrived.
    ///
    /// - Throws: ``PostgresError/connectionLost(statement:)``
    func nextNotification() throws(PostgresError) -> (channel: String, payload: String)? {
        guard PQconsumeInput(handle) == 1 else { throw lost("LISTEN") }
        guard let notification = PQnotifies(handle) else { return nil }
        defer { PQfreemem(notification) }
        return (String(cString: notification.pointee.relname), String(cString: notification.pointee.extra))
    }

    /// The line, counted from 1, of the last error in the text that was sent.
    func lastErrorLine(in sql: String) -> Int? {
        lastErrorPosition.map { position in
            sql.unicodeScalars.prefix(position - 1).count { $0 == "\n" } + 1
        }
    }

    func markInTransaction(_ value: Bool) {
        precondition(value != isInTransaction, "a connection runs one transaction at a time")
        isInTransaction = value
    }

    private func prepare(_ statement: Statement) throws(PostgresError) {
        if prepared.contains(statement.name) { return }
        try begin(statement.name)
        try check(PQsendPrepare(handle, statement.name, statement.sql, 0, nil), statement.name)
        _ = try collect(statement.name)
        prepared.insert(statement.name)
    }

    private func send(_ name: String, _ parameters: [Parameter], statement: String) throws(PostgresError) {
        try begin(statement)
        let values = try BoundParameters(parameters, statement: statement)
        let sent = values.withPointers { pointers, lengths, formats in
            // The last argument asks for binary results.
            PQsendQueryPrepared(handle, name, Int32(parameters.count), pointers, lengths, formats, 1)
        }
        try check(sent, statement)
    }

    private func begin(_ statement: String) throws(PostgresError) {
        if isBroken { throw .connectionLost(statement: statement) }
    }

    private func check(_ sent: Int32, _ statement: String) throws(PostgresError) {
        if sent != 1 { throw lost(statement) }
    }

    /// Flushes the request and reads every result; returns the last, or throws the first error.
    private func collect(_ statement: String) throws(PostgresError) -> Rows {
        let deadline = ContinuousClock.now + settings.statementTimeout + settings.answerMargin
        try flush(statement, until: deadline)
        var last: Rows?
        var failure: PostgresError?
        while true {
            while PQisBusy(handle) == 1 {
                try wait(for: POLLIN, statement, until: deadline)
                if PQconsumeInput(handle) != 1 { throw failure ?? lost(statement) }
            }
            guard let result = PQgetResult(handle) else { break }
            let rows = Rows(result, statement: statement)
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_EMPTY_QUERY: last = rows
            default:
                if failure == nil { lastErrorPosition = rows.errorField("P").flatMap { Int($0) } }
                failure = failure ?? rows.failure
            }
        }
        if PQstatus(handle) != CONNECTION_OK { throw lost(statement) }
        if let failure { throw failure }
        guard let last else { throw lost(statement) }
        return last
    }

    private func flush(_ statement: String, until deadline: ContinuousClock.Instant) throws(PostgresError) {
        while true {
            switch PQflush(handle) {
            case 0: return
            case 1:
                try wait(for: POLLIN | POLLOUT, statement, until: deadline)
                if PQconsumeInput(handle) != 1 { throw lost(statement) }
            default: throw lost(statement)
            }
        }
    }

    private func wait(
        for events: Int32, _ statement: String, until deadline: ContinuousClock.Instant
    ) throws(PostgresError) {
        while true {
            let left = deadline - ContinuousClock.now
            guard left > .zero else {
                isBroken = true
                throw .timedOut(statement: statement)
            }
            var descriptor = pollfd(fd: socket, events: Int16(events), revents: 0)
            let ready = poll(&descriptor, 1, Int32(clamping: left.milliseconds))
            if ready > 0 { return }
            if ready < 0 && errno != EINTR { throw lost(statement) }
        }
    }

    private func lost(_ statement: String) -> PostgresError {
        isBroken = true
        return .connectionLost(statement: statement)
    }

    private static func firstLine(_ message: UnsafePointer<CChar>?) -> String {
        let text = message.map { String(cString: $0) } ?? ""
        return text.split(separator: "\n").first.map { String($0) } ?? ""
    }
}
