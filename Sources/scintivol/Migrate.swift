import ArgumentParser
import DoseService
import Foundation

struct Migrate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The numbered migrations of the database.", subcommands: [Up.self, Status.self, Print.self])

    struct Options: ParsableArguments {
        @Option(help: "PostgreSQL URL.") var databaseURL: String?

        func url() throws -> String {
            guard let url = databaseURL ?? Environment.databaseURL else {
                throw ValidationError("--database-url (or SCINTIVOL_DATABASE_URL) is needed")
            }
            return url
        }
    }

    struct Up: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Bring the schema up to date.")
        @OptionGroup var options: Options

        func run() throws { print(try Migrations.up(try options.url())) }
    }

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Say which migrations are in.")
        @OptionGroup var options: Options

        func run() throws { print(try Migrations.status(try options.url())) }
    }

    struct Print: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Print the SQL of all migrations.")

        func run() throws { print(Migrations.printed()) }
    }
}

struct Health: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Exit status 0 when the service on this machine is ready, for container probes.")
    @Option(help: "Port of the service's HTTP.") var httpPort: UInt16 = 8080
    @Option(help: "What is asked: livez or readyz.") var probe = "readyz"

    func run() async throws {
        guard ["livez", "readyz"].contains(probe) else { throw ValidationError("--probe is livez or readyz") }
        guard await HealthProbe(port: httpPort).isHealthy(path: "/\(probe)") else { throw ExitCode(1) }
    }
}
