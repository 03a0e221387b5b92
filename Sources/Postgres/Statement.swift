/// One SQL statement under the name it is prepared as.
///
/// Statements are written once as named constants; parameters are `$1`, `$2`, … and their types are inferred by the
/// server, so an ambiguous place needs a cast (`$1::bigint`).
public struct Statement: Hashable, Sendable {
    public let name: String
    public let sql: String

    public init(_ name: String, _ sql: String) {
        self.name = name
        self.sql = sql
    }
}

/// What statements can be run on: a ``Connection`` (each statement commits by itself) or a ``Transaction``.
public protocol StatementRunner {
    @discardableResult
    func query(_ statement: Statement, _ parameters: [Parameter]) throws(PostgresError) -> Rows
}

extension StatementRunner {
    @discardableResult
    public func query(_ statement: Statement) throws(PostgresError) -> Rows {
        try query(statement, [])
    }

    /// Runs a statement that must return exactly one row.
    ///
    /// - Throws: ``PostgresError/rowCount(statement:count:)``
    public func queryOne(_ statement: Statement, _ parameters: [Parameter] = []) throws(PostgresError) -> Row {
        let rows = try query(statement, parameters)
        guard rows.count == 1 else { throw .rowCount(statement: statement.name, count: rows.count) }
        return rows[0]
    }
}
