import Foundation

/// What containers set instead of arguments.
enum Environment {
    /// An empty variable is none.
    static var databaseURL: String? {
        let value = ProcessInfo.processInfo.environment["SCINTIVOL_DATABASE_URL"]
        return value?.isEmpty == false ? value : nil
    }
}
