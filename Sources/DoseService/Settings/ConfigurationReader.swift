/// Something that is wrong with a configuration: where, and what.
public struct ConfigurationProblem: Codable, Equatable, Sendable, CustomStringConvertible {
    /// As in `peers[1].port`.
    public let path: String
    /// A code that does not change: `unknown-key`, `missing`, `not-a-number`, `out-of-range` and so on.
    public let code: String
    /// What was found and what would do, for a person.
    public let detail: String?
    /// Where a text stops being JSON, from 1.
    public let line: Int?

    public init(path: String, code: String, detail: String? = nil, line: Int? = nil) {
        (self.path, self.code, self.detail, self.line) = (path, code, detail, line)
    }

    public var description: String { "\(path): \(code)" + (detail.map { ": \($0)" } ?? "") }

    /// The same with the file's name before it.
    public func described(in file: String) -> String {
        line.map { "\(file):\($0): \(code)" + (detail.map { ": \($0)" } ?? "") } ?? "\(file): \(description)"
    }
}

/// Reads the keys of one object and collects what is wrong instead of stopping at the first mistake.
final class ConfigurationReader {
    private let path: String
    private let values: [String: JSONValue]
    private let isObject: Bool
    private var known: Set<String> = []
    private(set) var problems: [ConfigurationProblem] = []
    /// What can be used and is probably not meant so.
    private(set) var warnings: [ConfigurationProblem] = []

    init(_ value: JSONValue, path: String) {
        self.path = path
        if case .object(let values) = value {
            (self.values, isObject) = (values, true)
        } else {
            (values, isObject) = ([:], false)
            problems = [
                ConfigurationProblem(
                    path: path.isEmpty ? "." : path, code: "not-an-object", detail: "must be an object, in { }")
            ]
        }
    }

    func place(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func complain(_ key: String, _ code: String, _ detail: String? = nil) {
        // What is no object lacks every key; that it is none says it all.
        guard isObject else { return }
        problems.append(ConfigurationProblem(path: place(key), code: code, detail: detail))
    }

    func warn(_ key: String, _ code: String, _ detail: String) {
        warnings.append(ConfigurationProblem(path: key == "." ? path : place(key), code: code, detail: detail))
    }

    private func take(_ inner: ConfigurationReader) {
        problems += inner.finish()
        warnings += inner.warnings
    }

    /// Keys that nobody has asked for are mistakes too: a misspelt limit is no limit.
    func finish() -> [ConfigurationProblem] {
        for key in values.keys.sorted() where !known.contains(key) {
            let advice = NearestName.advice(for: key, among: known)
            complain(key, "unknown-key", advice ?? "known are \(known.sorted().joined(separator: ", "))")
        }
        return problems
    }

    func value(_ key: String) -> JSONValue? {
        known.insert(key)
        guard let value = values[key], value != .null else { return nil }
        return value
    }

    /// Whether something stands there, right or wrong.
    func has(_ key: String) -> Bool { values[key].map { $0 != .null } ?? false }

    /// Whether something stands there that is no empty list.
    func isFilled(_ key: String) -> Bool { has(key) && values[key] != .list([]) }

    /// Every key, for objects whose keys are values.
    var keys: [String] { values.keys.sorted() }

    /// Reads what has to be there.
    func required<Value>(_ key: String, _ read: (String) -> Value?) -> Value? {
        value(key) == nil ? complained(key, "missing") : read(key)
    }

    /// - Parameter must: what a usable text is, for a person: `must be ...`.
    func text(
        _ key: String, must: String = "must not be empty", where isGood: (String) -> Bool = { !$0.isEmpty }
    ) -> String? {
        guard let value = value(key) else { return nil }
        guard case .text(let text) = value else { return complained(key, "not-text", "must be text in quotes") }
        return isGood(text) ? text : complained(key, "unusable", Self.quoted(text, must))
    }

    /// One of some words.
    func choice<Value: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Value.Type
    ) -> Value? where Value.RawValue == String {
        choice(key, of: Value.allCases.map(\.rawValue)).flatMap(Value.init(rawValue:))
    }

    func choice(_ key: String, of words: [String]) -> String? {
        text(key, must: Self.choice(of: words), where: words.contains)
    }

    func texts(
        _ key: String, must: String = "must not be empty", where isGood: (String) -> Bool = { !$0.isEmpty }
    ) -> [String]? {
        list(key) { place, entry in
            guard case .text(let text) = entry else { return complained(place, "not-text", "must be text in quotes") }
            return isGood(text) ? text : complained(place, "unusable", Self.quoted(text, must))
        }
    }

    func choices(_ key: String, of words: [String]) -> [String]? {
        texts(key, must: Self.choice(of: words), where: words.contains)
    }

    func numbers(_ key: String) -> [Double]? { list(key, number) }

    /// Lists of numbers.
    func numberLists(_ key: String) -> [[Double]]? {
        list(key) { place, entry in
            guard case .list(let entries) = entry else {
                return complained(place, "not-a-list", "must be a list, in [ ]")
            }
            return entries.enumerated().compactMap { number("\(place)[\($0)]", $1) }
        }
    }

    private func number(_ place: String, _ entry: JSONValue) -> Double? {
        guard case .number(let number) = entry else {
            return complained(place, "not-a-number", "must be a number, without quotes")
        }
        return number
    }

    private func list<Value>(_ key: String, _ read: (_ place: String, JSONValue) -> Value?) -> [Value]? {
        guard let value = value(key) else { return nil }
        guard case .list(let entries) = value else { return complained(key, "not-a-list", "must be a list, in [ ]") }
        return entries.enumerated().compactMap { read("\(key)[\($0)]", $1) }
    }

    private static func quoted(_ text: String, _ must: String) -> String { "'\(text)', \(must)" }

    private static func choice(of words: [String]) -> String {
        words.count < 3
            ? "must be '\(words.joined(separator: "' or '"))'" : "must be one of \(words.joined(separator: ", "))"
    }

    func bool(_ key: String) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .bool(let bool) = value else { return complained(key, "not-a-truth-value", "must be true or false") }
        return bool
    }

    func number(_ key: String) -> Double? { value(key).flatMap { number(key, $0) } }

    func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
        guard let number = number(key) else { return nil }
        if range.contains(number) { return number }
        let (least, most) = (Self.plain(range.lowerBound), Self.plain(range.upperBound))
        return complained(key, "out-of-range", "\(Self.plain(number)), must be from \(least) to \(most)")
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let number = number(key, in: Double(range.lowerBound)...Double(range.upperBound)) else { return nil }
        return Int(exactly: number) ?? complained(key, "not-whole", "must be a whole number")
    }

    func seconds(_ key: String, in range: ClosedRange<Double>) -> Duration? {
        number(key, in: range).map { .milliseconds(Int64($0 * 1000)) }
    }

    /// Reads an object below this one.
    func object<Value>(_ key: String, _ read: (ConfigurationReader) -> Value?) -> Value? {
        guard let value = value(key) else { return nil }
        let reader = ConfigurationReader(value, path: place(key))
        let result = read(reader)
        take(reader)
        return result
    }

    /// Reads a list of objects; those that cannot be used are left out and named.
    func objects<Value>(_ key: String, _ read: (ConfigurationReader) -> Value?) -> [Value] {
        list(key) { place, entry in
            let reader = ConfigurationReader(entry, path: self.place(place))
            let result = read(reader)
            take(reader)
            return result
        } ?? []
    }

    private func complained<Value>(_ key: String, _ code: String, _ detail: String? = nil) -> Value? {
        complain(key, code, detail)
        return nil
    }

    /// A number without a fraction that is none.
    static func plain(_ number: Double) -> String { Int(exactly: number).map(String.init) ?? "\(number)" }
}
