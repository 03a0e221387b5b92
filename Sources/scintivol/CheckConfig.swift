import ArgumentParser
import DoseService

/// Says everything that is wrong with a site's files at once.
struct CheckConfig: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Say everything that is wrong with a site's file, and whether its peers answer.",
        discussion: """
            It takes both kinds of file, a site's configuration (run --config) and a camera's description (--site), and \
            says which of them it took the file for.
            """)
    @Argument(help: "A configuration, or a camera's description, as JSON.") var file: String
    @Flag(help: "Call every peer (C-ECHO, and a query where it is asked any).") var echo = false
    @Flag(help: "Answer as JSON.") var json = false

    func run() throws {
        let check = ConfigurationCheck(contentsOf: file, echoes: echo)
        for line in json ? [check.json] : check.lines { Terminal.answer(line) }
        guard check.isGood else { throw ExitCode(1) }
    }
}
