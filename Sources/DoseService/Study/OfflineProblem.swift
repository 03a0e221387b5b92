/// Why an offline command cannot go on: the problem, and what was found where it looked.
///
/// The lines name the paths that were given on the command line and tell kinds of objects and numbers of files; nothing in
/// them is text from an object.
public struct OfflineProblem: Error, Equatable, Sendable {
    public let problem: StudyProblem
    public let found: [String]

    public init(_ problem: StudyProblem, found: [String] = []) { (self.problem, self.found) = (problem, found) }

    /// The sentence, and a line for each thing that was found.
    public var advice: String { ([problem.advice] + found.map { "  \($0)" }).joined(separator: "\n") }
}
