/// One numbered file of the folder `migrations`, which is compiled into the program.
public struct Migration: Equatable, Sendable {
    public let number: Int
    /// The file's name without number and ending.
    public let name: String
    public let sql: String

    public init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }

    public var fileName: String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits + "_\(name).sql"
    }
}

extension Migration {
    /// Every file of the folder, in order. A test compares this list with the folder.
    ///
    /// The package manager turns a file's first digit into an underscore to make a Swift name of it.
    public static let all: [Migration] = [
        Migration(number: 1, name: "jobs", embedded: PackageResources._001_jobs_sql),
        Migration(number: 2, name: "cases", embedded: PackageResources._002_cases_sql),
        Migration(number: 3, name: "gateway", embedded: PackageResources._003_gateway_sql),
        Migration(number: 4, name: "rest", embedded: PackageResources._004_rest_sql),
        Migration(number: 5, name: "dose", embedded: PackageResources._005_dose_sql),
        Migration(number: 6, name: "trace", embedded: PackageResources._006_trace_sql),
        Migration(number: 7, name: "exchange", embedded: PackageResources._007_exchange_sql),
        Migration(number: 8, name: "models", embedded: PackageResources._008_models_sql),
        Migration(number: 9, name: "decisions", embedded: PackageResources._009_decisions_sql),
    ]

    private init(number: Int, name: String, embedded: [UInt8]) {
        self.init(number: number, name: name, sql: String(decoding: embedded, as: UTF8.self))
    }
}
