import ArgumentParser
import DoseService
import Foundation

@main
struct Scintivol: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scintivol",
        abstract: "3D activity maps from planar images of radionuclide therapy, from PACS to PACS.",
        version: "\(Version.number) (\(Version.commit))",
        subcommands: [
            Run.self, Serve.self, Work.self, Migrate.self, Phantom.self, Reconstruct.self, Dose.self, Pretrain.self,
            Personalise.self, Evaluate.self, Demo.self, Health.self, CheckConfig.self, Key.self,
            Child.self,
        ])

    /// Exit status 0: done; 1: the work failed; 2: wrong arguments.
    static func main() async {
        Processor.share()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let problem as StudyProblem {
            Terminal.say("scintivol: \(problem.advice)")
            Foundation.exit(1)
        } catch let problem as OfflineProblem {
            Terminal.say("scintivol: \(problem.advice)")
            Foundation.exit(1)
        } catch let error as ServiceError {
            Terminal.say("scintivol: \(error.advice)")
            Foundation.exit(1)
        } catch {
            let code = exitCode(for: error)
            if code == .validationFailure {
                let arguments = Array(CommandLine.arguments.dropFirst())
                // The parser tells of one mistake; a misspelt option explains the one that seems to be missing.
                Terminal.say(UnknownOption(in: arguments)?.message ?? fullMessage(for: error))
                Foundation.exit(2)
            }
            exit(withError: error)
        }
    }
}
