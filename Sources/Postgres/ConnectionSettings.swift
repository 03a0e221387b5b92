/// Where a database is and how long anything about it may take.
public struct ConnectionSettings: Sendable {
    /// A libpq connection URI or keyword string; may hold a password, so it is never printed.
    public var url: String
    /// Shown in `pg_stat_activity`.
    public var applicationName = "scintivol"
    /// libpq counts in whole seconds and takes at least two.
    public var connectTimeout: Duration = .seconds(5)
    /// The server ends a statement after this; the client gives the session up ``answerMargin`` later.
    public var statementTimeout: Duration = .seconds(30)
    public var answerMargin: Duration = .seconds(2)
    public var lockTimeout: Duration = .seconds(10)
    /// The server ends a session that holds a transaction open and says nothing.
    public var idleInTransactionTimeout: Duration = .seconds(60)
    /// How long sent bytes may stay unacknowledged by a TCP peer.
    public var peerTimeout: Duration = .seconds(15)

    public init(url: String) {
        self.url = url
    }
}

extension ConnectionSettings: CustomStringConvertible, CustomReflectable {
    public var description: String { "ConnectionSettings(\(applicationName))" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension ConnectionSettings {
    /// libpq's keywords. A later keyword wins over what the URL says.
    var keywords: [(String, String)] {
        [
            ("dbname", url),
            ("application_name", applicationName),
            ("client_encoding", "UTF8"),
            ("connect_timeout", String(max(2, Int(connectTimeout.seconds.rounded(.up))))),
            ("keepalives", "1"),
            ("keepalives_idle", "10"),
            ("keepalives_interval", "5"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", String(peerTimeout.milliseconds)),
        ]
    }

    /// The session's limits, all of them numbers made here.
    var sessionSetup: Statement {
        Statement(
            "session setup",
            """
            SET statement_timeout = \(statementTimeout.milliseconds);
            SET lock_timeout = \(lockTimeout.milliseconds);
            SET idle_in_transaction_session_timeout = \(idleInTransactionTimeout.milliseconds);
            SET TimeZone = 'UTC';
            SET client_min_messages = error
            """)
    }
}
