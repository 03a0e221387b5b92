import Foundation

/// What containers set instead of arguments.
enum Environment {
    /// An empty variable is none.
    static var databaseURL: String? { value("SCINTIVOL_DATABASE_URL") }
    /// What this process shows to another service.
    static var key: String? { value("SCINTIVOL_KEY") }
    /// What a fault test does to this process.
    static var failpoints: String? { value("SCINTIVOL_FAILPOINTS") }

    private static func value(_ name: String) -> String? {
        let value = ProcessInfo.processInfo.environment[name]
        return value?.isEmpty == false ? value : nil
    }
}
