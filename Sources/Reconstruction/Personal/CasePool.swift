import Learning

/// A case and what is known of its patient.
public typealias DrawnCase = (training: TrainingCase, patient: PatientChannels)

/// The case of a number and of the seed that belongs to it; asked from several threads at once.
public typealias CaseSource = @Sendable (_ number: Int, _ seed: UInt64) throws(ReconstructionError) -> DrawnCase

/// The cases that a training draws from. To solve one costs as much as several steps of a network, so each serves for many:
/// new ones come in as the training goes on, the oldest leave. They are made in pairs: Stage 0 keeps one processor and a half
/// busy.
///
/// Which case a step draws follows from the step's number alone; a training that goes on makes again what it needs.
public struct CasePool {
    /// How many cases are known at once, and after how many steps a new one comes in.
    public struct Size: Codable, Equatable, Sendable {
        public var cases = 48
        public var stepsPerCase = 8
        /// Cases at the first step.
        public var first = 4

        public init() {}
    }

    let size: Size
    private let source: @Sendable (Int) throws(ReconstructionError) -> DrawnCase
    private var known: [Int: Result<DrawnCase, ReconstructionError>] = [:]

    /// - Parameter source: makes the case of a number.
    init(_ size: Size, source: @escaping @Sendable (Int) throws(ReconstructionError) -> DrawnCase) {
        (self.size, self.source) = (size, source)
    }

    /// The numbers of the cases that a step may draw.
    func range(at step: Int) -> Range<Int> {
        let end = step / size.stepsPerCase + size.first
        return max(0, end - size.cases)..<end
    }

    mutating func draw(
        at step: Int, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> DrawnCase {
        let range = range(at: step)
        known = known.filter { $0.key >= range.lowerBound }
        let number = Int.random(in: range, using: &generator)
        if let drawn = known[number] { return try drawn.get() }
        // Another one that will be needed: what stays longest, or else what comes in next.
        let next =
            range.last { $0 != number && known[$0] == nil }
            ?? (known[range.upperBound] == nil ? range.upperBound : nil)
        let numbers = [number] + (next.map { [$0] } ?? [])
        let made = Self.inPairs(numbers) { [source] number throws(ReconstructionError) in try source(number) }
        for (number, result) in zip(numbers, made) { known[number] = result }
        return try made[0].get()
    }

    /// Cases of some numbers, in their order, two made at a time.
    static func inPairs(
        _ numbers: [Int], _ make: @Sendable (Int) throws(ReconstructionError) -> DrawnCase
    ) -> [Result<DrawnCase, ReconstructionError>] {
        SideBySide.results(count: numbers.count, workers: 2) { index throws(ReconstructionError) in
            try make(numbers[index])
        }
    }
}
