import ArgumentParser
import DoseService
import Foundation

struct Demo: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The whole service against a real PACS on this machine, from phantom to RT Dose in the archive.")
    @Option(help: "Folder for everything the demonstration makes; it is emptied first.") var out = ".demo"
    @Option(help: "Which synthetic patient.") var seed: UInt64 = 1

    func run() throws {
        do {
            try Demonstration(folder: out, seed: seed, say: Terminal.answer, progress: Terminal.progress).run()
        } catch let error as DemoError {
            Terminal.say("scintivol demo: \(error.advice)")
            throw ExitCode(1)
        }
    }
}
