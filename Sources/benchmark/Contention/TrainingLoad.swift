import Foundation
import Jobs

/// A job that trains on all cores, as a worker starts it: in a child that
/// leaves its processor at once and whose OpenMP threads wait passively.
struct TrainingLoad: Sendable {
    private let task: Task<Int, any Error>

    /// Trains until it is ended.
    init(_ program: String) {
        task = Task {
            var runs = 0
            while !Task.isCancelled {
                var child = ChildProcess(
                    program: program,
                    arguments: ["training", "--rounds", "100000", "--presets", "small"])
                child.leavesProcessorAtOnce = true
                child.grace = .milliseconds(100)
                // A training prints a table, which is no answer; it is stopped long before.
                guard case .stopped = try await child.run(request: "{}").ending else {
                    throw MeasuringError.programSilent("training")
                }
                runs += 1
            }
            return runs
        }
    }

    /// - Throws: ``MeasuringError/programSilent(_:)`` when the training ended by itself, so that there was no load.
    func end() async throws {
        task.cancel()
        _ = try await task.value
    }
}
