/// Lines of Prometheus text.
///
/// - Source: Prometheus text exposition format 0.0.4.
struct Exposition {
    private(set) var text = ""

    mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ labels: String?, _ value: Double) {
        let number = value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : String(value)
        text += labels.map { "\(name){\($0)} \(number)\n" } ?? "\(name) \(number)\n"
    }

    mutating func value(_ name: String, _ type: String, _ help: String, _ value: Double) {
        family(name, type, help)
        sample(name, nil, value)
    }

    /// - Parameters:
    ///   - counts: of each bucket by itself, with one more than there are bounds.
    ///   - labels: without the bucket's bound.
    mutating func histogram(_ name: String, _ labels: String, bounds: [Double], counts: [Int], sum: Double) {
        var total = 0
        for (index, count) in counts.enumerated() {
            total += count
            let bound = index < bounds.count ? String(bounds[index]) : "+Inf"
            sample("\(name)_bucket", "\(labels),le=\"\(bound)\"", Double(total))
        }
        sample("\(name)_sum", labels, sum)
        sample("\(name)_count", labels, Double(total))
    }
}
