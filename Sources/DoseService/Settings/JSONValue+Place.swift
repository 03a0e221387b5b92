import Foundation

extension JSONValue {
    /// What a file that is no JSON is told: where it stops being JSON, and that.
    static func notJSON(_ data: Data) -> ConfigurationProblem {
        do { _ = try JSONSerialization.jsonObject(with: data) } catch {
            let text = (error as NSError).userInfo["NSDebugDescription"] as? String
            let stop = offset(in: text) ?? data.count
            // The character itself is on the line that the line breaks before it lead to.
            let line = 1 + data.prefix(stop).count { $0 == UInt8(ascii: "\n") }
            let detail = stop < data.count ? "no valid JSON from here on" : "the text ends too early"
            return ConfigurationProblem(path: ".", code: "not-json", detail: detail, line: line)
        }
        return ConfigurationProblem(path: ".", code: "not-json")
    }

    /// "… around character 14."
    private static func offset(in text: String?) -> Int? {
        guard let text, let range = text.range(of: "character ") else { return nil }
        return Int(text[range.upperBound...].prefix { $0.isNumber })
    }
}
