import Glibc
import Imaging

/// Whether one method differs from another on the same cases.
public struct PairedComparison: Sendable, Equatable, Codable {
    /// Mean of the differences, case by case.
    public let meanDifference: Double
    /// Bootstrap interval of that mean.
    public let lower95, upper95: Double
    /// Two-sided, of Wilcoxon's signed ranks; nil with fewer than six pairs that differ.
    public let wilcoxonP: Double?

    enum CodingKeys: String, CodingKey {
        case lower95, upper95
        case meanDifference = "mean_difference"
        case wilcoxonP = "wilcoxon_p"
    }

    static let bootstrapCount = 4000

    /// - Parameters:
    ///   - first: values of one method, case by case.
    ///   - second: values of the other on the same cases; the differences are first minus second.
    public init(_ first: [Double], _ second: [Double], seed: UInt64 = 1) {
        precondition(first.count == second.count && !first.isEmpty)
        let differences = zip(first, second).map(-)
        let count = differences.count
        meanDifference = differences.reduce(0, +) / Double(count)
        var generator = SeededGenerator(seed: seed, purpose: "bootstrap")
        let means = (0..<Self.bootstrapCount).map { _ in
            (0..<count).reduce(0.0) { sum, _ in sum + differences[Int.random(in: 0..<count, using: &generator)] }
                / Double(count)
        }.sorted()
        lower95 = means[Int(0.025 * Double(means.count))]
        upper95 = means[Int(0.975 * Double(means.count))]
        wilcoxonP = Self.wilcoxon(differences)
    }

    /// Exact over all signs up to 20 pairs, by the normal approximation with its correction for ties beyond.
    ///
    /// - Source: Wilcoxon, Biometrics Bulletin 1 (1945) 80.
    private static func wilcoxon(_ differences: [Double]) -> Double? {
        let pairs = differences.filter { $0 != 0 }.sorted { abs($0) < abs($1) }
        guard pairs.count >= 6 else { return nil }
        var ranks = [Double](repeating: 0, count: pairs.count)
        var ties = 0.0
        var start = 0
        while start < pairs.count {
            var end = start
            while end + 1 < pairs.count, abs(pairs[end + 1]) == abs(pairs[start]) { end += 1 }
            for place in start...end { ranks[place] = Double(start + end) / 2 + 1 }
            let size = Double(end - start + 1)
            ties += size * size * size - size
            start = end + 1
        }
        let positive = zip(pairs, ranks).reduce(0) { $0 + ($1.0 > 0 ? $1.1 : 0) }
        let count = Double(pairs.count)
        let mean = count * (count + 1) / 4
        let away = abs(positive - mean)
        guard pairs.count <= 20 else {
            let variance = count * (count + 1) * (2 * count + 1) / 24 - ties / 48
            return erfc(max(away - 0.5, 0) / (2 * variance).squareRoot())
        }
        // Ranks may be halves: twice a sum is a whole number.
        let doubled = ranks.map { Int(2 * $0) }
        var ways = [Double](repeating: 0, count: doubled.reduce(0, +) + 1)
        ways[0] = 1
        for rank in doubled {
            for sum in stride(from: ways.count - 1, through: rank, by: -1) { ways[sum] += ways[sum - rank] }
        }
        let extreme = ways.indices.filter { abs(Double($0) / 2 - mean) >= away - 1e-9 }.reduce(0) { $0 + ways[$1] }
        return min(1, extreme / exp2(count))
    }
}
