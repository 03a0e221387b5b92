import Learning

/// A case and what is known of its patient.
public typealias DrawnCase = (training: TrainingCase, patient: PatientChannels)

/// The case of a number and of the seed that belongs to it.
public typealias CaseSource = (_ number: Int, _ seed: UInt64) throws(ReconstructionError) -> DrawnCase

/// The cases that a training draws from. To solve one costs as much as several steps of a network, so each serves for many:
/// new ones come in as the training goes on, the oldest leave.
///
/// Which case a step draws follows from the step's number alone; a training that goes on makes again what it needs.
public struct CasePool {
    /// How many cases are known at once, and after how many steps a new one comes in.
    public struct Size: Codable, Equatable, Sendable {
        public var cases = 48
        public var stepsPerCase = 4
        /// Cases at the first step.
        public var first = 4

        public init() {}
    }

    let size: Size
    private let source: (Int) throws(ReconstructionError) -> DrawnCase
    private var known: [Int: DrawnCase] = [:]

    /// - Parameter source: makes the case of a number.
    init(_ size: Size, source: @escaping (Int) throws(ReconstructionError) -> DrawnCase) {
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
        known = known.filter { range.contains($0.key) }
        let number = Int.random(in: range, using: &generator)
        if let drawn = known[number] { return drawn }
        let made = try source(number)
        known[number] = made
        return made
    }
}
