import Foundation
import TestSupport
import Testing

/// Names, help and exit status of the program.
@Suite struct CommandLineTests {
    @Test func everySubcommandHasHelp() async throws {
        let help = try await Scintivol.run("--help")
        #expect(help.status == 0)
        let lines = help.output.split(separator: "\n").drop { !$0.hasPrefix("SUBCOMMANDS") }.dropFirst()
        let names = lines.filter { $0.hasPrefix("  ") && !$0.hasPrefix("   ") }.compactMap {
            $0.split(separator: " ").first
        }
        .map(String.init).filter { $0 != "See" }
        let fixed: Set = ["run", "serve", "work", "migrate", "phantom", "reconstruct", "dose", "health"]
        #expect(fixed.isSubset(of: names))
        for name in names {
            let run = try await Scintivol.run(name, "--help")
            #expect(run.status == 0 && run.output.contains("OVERVIEW") && run.output.contains("USAGE"), "\(name)")
        }
    }

    @Test(arguments: CommandLineTests.statuses)
    func exitStatus(arguments: [String], status: Int32) async throws {
        let run = try await ProgramRun(
            Scintivol.program, arguments, environment: ["SCINTIVOL_DATABASE_URL": ""])
        #expect(run.status == status)
        // Whoever fails says why, and says it on standard error.
        if status != 0, arguments != ["child"], arguments.first != "health" || status == 2 {
            #expect(!run.errors.isEmpty && run.output.isEmpty)
        }
    }

    /// A misspelt option is what is said, not the one that is missing because of it.
    @Test(arguments: [
        (["reconstruct", "--planr", "a", "--anatomy", "b", "--out", "c"], "'--planr'; did you mean '--planar'?"),
        (["phantom", "--ot=x"], "'--ot'; did you mean '--out'?"),
        (["key", "add", "--nam", "x"], "'--nam'; did you mean '--name'?"),
        (["phantom", "--somewhere", "x"], "Unknown option '--somewhere'\n"),
    ])
    func aMisspeltOptionIsNamed(arguments: [String], message: String) async throws {
        let run = try await ProgramRun(Scintivol.program, arguments, environment: [:])
        #expect(run.status == 2 && run.errors.contains(message) && run.errors.contains("Usage:"), "\(run.errors)")
    }

    /// A negative number is a number that will not do, not an option.
    @Test func aNegativeActivityIsRead() async throws {
        let run = try await ProgramRun(
            Scintivol.program,
            [
                "dose", "--activity", "a", "--out", "c", "--administered-mbq", "-5", "--administered-at",
                "20240325100000",
            ], environment: [:])
        #expect(run.status == 2 && run.errors.contains("a positive number, not -5"), "\(run.errors)")
    }

    private static let statuses: [([String], Int32)] = [
        (["bogus"], 2), (["pretrain", "--out", "x", "--seed", "65536"], 2), (["phantom"], 2),
        (["phantom", "--out", "/tmp", "--seed", "x"], 2),
        (["reconstruct", "--planar", "/tmp"], 2),
        (["reconstruct", "--planar", "/a", "--anatomy", "/b", "--out", "/c", "--method", "guess"], 2),
        (["reconstruct", "--planar", "/nonexistent", "--anatomy", "/nonexistent", "--out", "/nonexistent"], 1),
        (["dose", "--activity", "/a", "--out", "/c", "--administered-mbq", "7400"], 2),
        (["dose", "--out", "/c", "--administered-mbq", "7400", "--administered-at", "20240325100000"], 2),
        (
            [
                "dose", "--activity", "/a", "--out", "/c", "--administered-mbq", "7400", "--administered-at",
                "2024-03-25",
            ], 2
        ),
        (
            [
                "dose", "--activity", "/nonexistent", "--out", "/nonexistent", "--administered-mbq", "7400",
                "--administered-at", "20240325100000",
            ], 1
        ), (["phantom", "--out", "/tmp", "--hours", "0"], 2), (["serve"], 2), (["work"], 2),
        (["run", "--slots", "0"], 2), (["run", "--quiet-seconds", "-1"], 2),
        (["run", "--lease-seconds", "0"], 2), (["run", "--dicom-port", "70000"], 2),
        (["run", "--destination", "nobody"], 2), (["run", "--destination", "A@host:0"], 2),
        (["run", "--destination", "A TITLE THAT IS TOO LONG@host:104"], 2),
        (["run", "--site", "/nonexistent.json"], 1), (["run", "--state", "/dev/null/state"], 1),
        (["migrate"], 0), (["migrate", "print"], 0), (["migrate", "up"], 2),
        (["migrate", "up", "--database-url", "postgresql:///nobody?host=/nonexistent"], 1),
        (["health", "--probe", "pulse"], 2), (["health", "--http-port", "1"], 1), (["--version"], 0), (["child"], 2),
    ]
}
