package import Logging

/// Errors and enumerations as the words of a log line: `statementFailed(statement: "x")` is `statement-failed`.
package enum LogWord {
    /// The name of an enumeration's case, in words; of anything else the name of its type.
    package static func of(_ value: Any) -> String {
        let mirror = Mirror(reflecting: value)
        let name =
            switch mirror.displayStyle {
            case .enum: mirror.children.first?.label ?? "\(value)"
            default: "\(type(of: value))"
            }
        var (word, isLower) = ("", false)
        for letter in name {
            if letter.isUppercase, isLower { word += "-" }
            word += letter.lowercased()
            isLower = letter.isLowercase
        }
        return word
    }

    /// An error's name, and what it carries by name.
    package static func fields(of error: any Error) -> Logger.Metadata {
        var fields: Logger.Metadata = ["error": "\(of(error))"]
        guard let payload = Mirror(reflecting: error).children.first?.value else { return fields }
        let parts = Mirror(reflecting: payload)
        // A case with one unnamed value holds it itself: mostly the error that it came from.
        guard parts.displayStyle == .tuple else {
            guard let inner = payload as? any Error else { return fields }
            fields = self.fields(of: inner).merging(fields) { $1 }
            fields["cause"] = "\(of(inner))"
            return fields
        }
        for (label, value) in parts.children {
            guard let label, !label.hasPrefix("."), let word = plain(value) else { continue }
            fields[key(label)] = "\(word)"
        }
        return fields
    }

    /// A status of DIMSE as PS3.7 prints it.
    package static func status(_ code: some BinaryInteger) -> String {
        let digits = String(code, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private static func plain(_ value: Any) -> String? {
        let mirror = Mirror(reflecting: value)
        return switch mirror.displayStyle {
        case .optional: mirror.children.first.flatMap { plain($0.value) }
        case .enum: of(value)
        default: "\(value)"
        }
    }

    private static func key(_ label: String) -> String {
        label.reduce(into: "") { $0 += $1.isUppercase ? "_" + $1.lowercased() : String($1) }
    }
}

extension Logger {
    /// Says that something failed, with the error's name and what it carries.
    func failure(_ message: Logger.Message, _ error: any Error, _ metadata: Logger.Metadata = [:]) {
        self.error(message, metadata: LogWord.fields(of: error).merging(metadata) { $1 })
    }
}
