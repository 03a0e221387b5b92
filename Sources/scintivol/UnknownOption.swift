import ArgumentParser
import DoseService

/// An option that the chosen subcommand does not have.
struct UnknownOption {
    let name: String
    private let command: any ParsableCommand.Type
    private let known: [String]

    /// - Returns: nil when all options are known.
    init?(in arguments: [String]) {
        var command: any ParsableCommand.Type = Scintivol.self
        var rest = arguments[...]
        while let word = rest.first,
            let next = command.configuration.subcommands.first(where: { $0._commandName == word })
        {
            command = next
            rest = rest.dropFirst()
        }
        // The help names every option; options of the program itself hold everywhere.
        let pattern = /--[a-z][a-z0-9-]*/
        let help = Scintivol.helpMessage(for: command, includeHidden: true)
        let known = Set(help.matches(of: pattern).map { String($0.output) } + ["--help", "--version"])
        let names = rest.prefix { $0 != "--" }.filter { $0.wholeMatch(of: /--[a-z].*/) != nil }.map { word in
            String(word.prefix { $0 != "=" })
        }
        guard let name = names.first(where: { !known.contains($0) }) else { return nil }
        (self.name, self.command, self.known) = (name, command, known.sorted())
    }

    var message: String {
        let question = NearestName.of(name, among: known).map { "; did you mean '\($0)'?" } ?? ""
        return "Error: Unknown option '\(name)'\(question)\nUsage: \(Scintivol.usageString(for: command))"
    }
}
