import CPostgres

/// The rows a statement returned; frees libpq's result when it goes.
public final class Rows: RandomAccessCollection {
    let result: OpaquePointer
    let statement: String

    /// Takes ownership of `result`.
    init(_ result: OpaquePointer, statement: String) {
        self.result = result
        self.statement = statement
    }

    deinit { PQclear(result) }

    public var startIndex: Int { 0 }
    public var endIndex: Int { Int(PQntuples(result)) }

    public subscript(index: Int) -> Row {
        precondition(indices.contains(index), "no such row")
        return Row(rows: self, index: Int32(index))
    }

    /// How many rows an INSERT, UPDATE or DELETE changed.
    public var affectedCount: Int {
        Int(String(cString: PQcmdTuples(result))) ?? 0
    }
}

extension Rows {
    /// One field of an error's report by its code in the protocol.
    func errorField(_ code: Character) -> String? {
        PQresultErrorField(result, Int32(code.asciiValue ?? 0)).map { String(cString: $0) }
    }

    /// SQLSTATE and the constraint's name only: message and detail may quote values.
    var failure: PostgresError {
        .statementFailed(
            statement: statement, sqlState: errorField("C").map { SQLState($0) } ?? .unknown,
            constraint: errorField("n"))
    }
}

/// One row, read by column name: `let id: Int64 = try row["id"]`.
public struct Row {
    let rows: Rows
    let index: Int32

    /// - Throws: ``PostgresError/columnMissing(statement:column:)``, ``PostgresError/columnNull(statement:column:)``,
    ///   ``PostgresError/columnType(statement:column:typeOID:)``.
    public subscript<Value: ColumnValue>(column: String) -> Value {
        get throws(PostgresError) {
            let field = PQfnumber(rows.result, column)
            guard field >= 0 else { throw .columnMissing(statement: rows.statement, column: column) }
            let type = PQftype(rows.result, field)
            if PQgetisnull(rows.result, index, field) == 1 {
                guard let null = Value.null else {
                    throw .columnNull(statement: rows.statement, column: column)
                }
                return null
            }
            let bytes = UnsafeRawBufferPointer(
                start: PQgetvalue(rows.result, index, field), count: Int(PQgetlength(rows.result, index, field)))
            guard let value = Value(type: type, bytes: bytes) else {
                throw .columnType(statement: rows.statement, column: column, typeOID: type)
            }
            return value
        }
    }
}
