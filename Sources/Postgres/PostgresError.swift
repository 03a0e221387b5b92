/// What can go wrong between this program and PostgreSQL.
///
/// No case carries a parameter, a column's value or a server's detail text: those may identify a patient.
public enum PostgresError: Error, Equatable, Sendable {
    /// No session could be opened; `reason` is libpq's first line, which names a host or a role, never a password.
    case connectionFailed(reason: String)
    /// The session ended while a statement ran; whether it took effect is unknown.
    case connectionLost(statement: String)
    /// The peer did not answer in time; the session was given up.
    case timedOut(statement: String)
    /// The server refused a statement.
    case statementFailed(statement: String, sqlState: SQLState, constraint: String?)
    /// `COMMIT` ended as a rollback because an earlier error was swallowed.
    case transactionAborted
    /// Parameters are counted from 1; PostgreSQL's text cannot hold U+0000.
    case parameterHoldsNUL(statement: String, parameter: Int)
    case columnMissing(statement: String, column: String)
    case columnNull(statement: String, column: String)
    case columnType(statement: String, column: String, typeOID: UInt32)
    /// A statement that must return exactly one row returned another number.
    case rowCount(statement: String, count: Int)
    /// No connection came free within the pool's waiting limit.
    case poolExhausted
    /// A channel's name is not a plain identifier.
    case invalidChannel
    /// The file differs from what was applied under its number.
    case migrationChanged(number: Int)
    /// A file was numbered below one that has already been applied.
    case migrationOutOfOrder(number: Int)
    /// `line` is where the server found the error, when it said so.
    case migrationFailed(number: Int, line: Int?, sqlState: SQLState)
    case serverProgramsMissing
    case serverAccountMissing
    case serverFolderUnusable(errno: Int32)
    /// Another process starts or stops the server of the same folder.
    case serverFolderBusy
    case serverCommandFailed(program: String, status: Int32)
    case serverNotReady
}

extension PostgresError {
    /// The server's code, when the server gave one.
    public var sqlState: SQLState? {
        switch self {
        case .statementFailed(_, let state, _), .migrationFailed(_, _, let state): state
        default: nil
        }
    }

    /// Whether the same transaction may succeed when it is run again at once.
    public var isConflict: Bool {
        sqlState == .serializationFailure || sqlState == .deadlockDetected
    }

    /// Whether the database, rather than the statement, is at fault, so that waiting may help.
    public var isTransient: Bool {
        switch self {
        case .connectionFailed, .connectionLost, .timedOut, .poolExhausted: true
        case .statementFailed(_, let state, _): isConflict || state.isUnavailability
        default: false
        }
    }
}

/// An error type that can carry a ``PostgresError``, so that typed closures may run inside a transaction.
public protocol PostgresFailure: Error {
    init(_ error: PostgresError)
    /// The database's error, when this is one.
    var postgresError: PostgresError? { get }
}

extension PostgresError: PostgresFailure {
    public init(_ error: PostgresError) { self = error }
    public var postgresError: PostgresError? { self }
}

/// A five-character error code.
///
/// - Source: PostgreSQL documentation, Appendix A.
public struct SQLState: Hashable, Sendable, CustomStringConvertible {
    public let code: String

    public var description: String { code }

    public init(_ code: String) { self.code = code }

    public static let uniqueViolation = SQLState("23505")
    public static let foreignKeyViolation = SQLState("23503")
    public static let serializationFailure = SQLState("40001")
    public static let deadlockDetected = SQLState("40P01")
    public static let lockNotAvailable = SQLState("55P03")
    public static let queryCanceled = SQLState("57014")
    public static let unknown = SQLState("XX000")

    /// Connection exceptions (08), insufficient resources (53), operator intervention (57), lock not available.
    var isUnavailability: Bool {
        code.hasPrefix("08") || code.hasPrefix("53") || code.hasPrefix("57") || self == .lockNotAvailable
    }
}
