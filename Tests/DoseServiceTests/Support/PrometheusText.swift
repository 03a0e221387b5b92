/// Metrics as a scraper reads them.
///
/// - Source: Prometheus text exposition format 0.0.4.
struct PrometheusText {
    enum Violation: Error, Equatable {
        case line(String)
        case undeclared(String)
        case repeated(String)
    }

    private(set) var samples: [String: Double] = [:]

    init(_ text: String) throws(Violation) {
        guard text.hasSuffix("\n") else { throw .line("no newline at the end") }
        var families: Set<String> = []
        var histograms: Set<String> = []
        for line in text.split(separator: "\n").map(String.init) {
            if line.hasPrefix("# HELP ") { continue }
            if line.hasPrefix("# TYPE ") {
                let words = line.split(separator: " ")
                guard words.count == 4, ["gauge", "counter", "histogram"].contains(words[3]) else { throw .line(line) }
                guard families.insert(String(words[2])).inserted else { throw .repeated(String(words[2])) }
                if words[3] == "histogram" { histograms.insert(String(words[2])) }
                continue
            }
            guard let sample = try? Self.sample.wholeMatch(in: line), let value = Double(sample.output.3) else {
                throw .line(line)
            }
            let name = String(sample.output.1)
            let base = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }.map { name.dropLast($0.count) }
            let isOfHistogram = base.map { histograms.contains(String($0)) } ?? false
            guard isOfHistogram || (families.contains(name) && !histograms.contains(name)) else {
                throw .undeclared(name)
            }
            let key = name + (sample.output.2 ?? "")
            guard samples.updateValue(value, forKey: key) == nil else { throw .repeated(key) }
        }
    }

    private static var sample: Regex<(Substring, Substring, Substring?, Substring)> {
        #/([a-z_][a-z0-9_]*)(\{[a-z_]+="[^"\\]*"(?:,[a-z_]+="[^"\\]*")*\})? (-?[0-9.e+-]+)/#
    }
}
