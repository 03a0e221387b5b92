import ArgumentParser
import DoseService

struct Key: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Who may use REST: keys and subjects of client certificates.",
        subcommands: [Add.self, List.self, Revoke.self])

    struct Add: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a key, which is shown this once, or give a role to a certificate's subject.")
        @OptionGroup var options: Migrate.Options
        @Option(help: "Whose it is; as the audit names it.") var name: String
        @Option(help: "reader, operator or admin.") var role: String
        @Option(help: "Subject of a client certificate, as RFC 2253 writes it; no key is made then.")
        var certificateSubject: String?
        @Option(help: "Days until it ends; without, it does not.") var days: Int?

        func run() throws {
            guard (1...100).contains(name.utf8.count), days.map({ (1...3660).contains($0) }) ?? true else {
                throw ValidationError("--name has 1 to 100 characters and --days is from 1 to 3660")
            }
            let made = try Keys.add(
                try options.url(), name: name, role: role, certificateSubject: certificateSubject, days: days)
            guard let made else { throw ValidationError("--role is reader, operator or admin") }
            Terminal.answer(made)
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say which keys there are.")
        @OptionGroup var options: Migrate.Options

        func run() throws { Terminal.answer(try Keys.list(try options.url())) }
    }

    struct Revoke: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a key at once.")
        @OptionGroup var options: Migrate.Options
        @Argument(help: "Its number.") var id: Int64

        func run() throws {
            guard let revoked = try Keys.revoke(try options.url(), id: id) else { throw ExitCode(1) }
            Terminal.answer(revoked)
        }
    }
}
