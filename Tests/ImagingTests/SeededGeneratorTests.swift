import Imaging
import Testing

@Suite struct SeededGeneratorTests {
    @Test func theSameSeedGivesTheSameNumbers() {
        var first = SeededGenerator(seed: 4, purpose: "a")
        var second = SeededGenerator(seed: 4, purpose: "a")
        var other = SeededGenerator(seed: 4, purpose: "b")
        let numbers = (0..<5).map { _ in first.next() }
        #expect(numbers == (0..<5).map { _ in second.next() })
        #expect(numbers != (0..<5).map { _ in other.next() })
    }

    /// Both branches of the generator; five standard errors of mean and variance over 40 000 draws.
    @Test(arguments: [0.3, 4, 9.9, 10, 37, 2500])
    func poissonCountsHaveTheirMeanAndVariance(mean: Double) {
        var generator = SeededGenerator(seed: 11)
        let count = 40_000.0
        let draws = (0..<Int(count)).map { _ in Double(generator.poisson(mean: mean)) }
        let average = draws.reduce(0, +) / count
        let variance = draws.reduce(0) { $0 + ($1 - average) * ($1 - average) } / count
        #expect(abs(average - mean) < 5 * (mean / count).squareRoot())
        #expect(abs(variance / mean - 1) < 5 * ((2 + 1 / mean) / count).squareRoot())
    }

    @Test func normalDrawsAreStandard() {
        var generator = SeededGenerator(seed: 2)
        let draws = (0..<40_000).map { _ in generator.normal() }
        let average = draws.reduce(0, +) / 40_000
        let variance = draws.reduce(0) { $0 + $1 * $1 } / 40_000
        #expect(abs(average) < 0.025)
        #expect(abs(variance - 1) < 0.04)
    }
}
