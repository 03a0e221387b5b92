import ArgumentParser

/// Our figures, each beside a yardstick that is measured in the same run.
@main
struct Benchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmark",
        abstract: "Measures this program beside yardsticks of the same machine in the same run.",
        subcommands: [
            Projector.self, PhysicsFit.self, Sampler.self, Training.self, TrainingAccuracy.self, Dose.self, Ingest.self,
            Queue.self,
            HTTPServing.self,
            Contention.self, Faults.self, FaultWorker.self, FuzzScanner.self,
        ])
}

/// What every benchmark takes.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON instead of a table.") var json = false
}
