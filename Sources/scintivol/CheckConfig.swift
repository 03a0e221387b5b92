import ArgumentParser
import DoseService

/// Says everything that is wrong with a site's configuration at once.
struct CheckConfig: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Say everything that is wrong with a site's configuration, and whether its peers answer.")
    @Argument(help: "The configuration, as JSON.") var file: String
    @Flag(help: "Call every peer (C-ECHO, and a query where it is asked any).") var echo = false
    @Flag(help: "Answer as JSON.") var json = false

    func run() throws {
        let check = ConfigurationCheck(SiteConfiguration(contentsOf: file), echoes: echo)
        if json {
            Terminal.answer(check.json)
        } else {
            for line in check.lines { Terminal.answer(line) }
            if check.isGood { Terminal.answer("the configuration can be used") }
        }
        guard check.isGood else { throw ExitCode(1) }
    }
}
