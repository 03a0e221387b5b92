import ArgumentParser
import DoseService
import Foundation
import Logging

/// What `run`, `serve` and `work` have in common.
struct ServiceOptions: ParsableArguments {
    @Option(help: "Folder that holds everything the service keeps.") var state = "scintivol-state"
    @Option(help: "PostgreSQL URL; without one, run starts a private server in the state folder.")
    var databaseURL: String?
    @Option(help: "The site's configuration as JSON; other options go before it.") var config: String?
    @Flag(help: "Let every application call, not only the configured peers and this machine.") var open = false
    @Option(help: "Our application entity title (SCINTIVOL).") var title: String?
    @Option(help: "Address to listen on for DICOM (0.0.0.0).") var dicomAddress: String?
    @Option(help: "Port for DICOM; 0 takes a free one (11112).") var dicomPort: UInt16?
    @Option(help: "Address to listen on for HTTP.") var httpHost = "127.0.0.1"
    @Option(help: "Port for HTTP; 0 takes a free one.") var httpPort: UInt16 = 8080
    @Option(help: "Archive that results go to, as TITLE@HOST:PORT; may be repeated.") var destination: [String] = []
    @Option(help: "Description of a camera as JSON; may be repeated.") var site: [String] = []
    @Option(help: "Seconds without a new instance before a case is put together (5).") var quietSeconds: Double?
    @Option(help: "Jobs at a time.") var slots = 1
    @Option(help: "Seconds after its worker's last word until a job is given to another.") var leaseSeconds = 45.0
    @Option(help: "MiB of free space below which associations are refused (1024).") var diskReserve: Int64?

    func settings(requiringDatabase: Bool) throws -> ServiceSettings {
        var settings = ServiceSettings(stateFolder: state)
        settings.databaseURL = databaseURL ?? Environment.databaseURL
        if requiringDatabase, settings.databaseURL == nil {
            throw ValidationError("--database-url (or SCINTIVOL_DATABASE_URL) is needed by several processes")
        }
        guard slots > 0, (0...86_400).contains(quietSeconds ?? 0) else {
            throw ValidationError("--slots has to be positive and --quiet-seconds at least 0 and at most a day")
        }
        guard (1...3600).contains(leaseSeconds), (0...1 << 30).contains(diskReserve ?? 0) else {
            throw ValidationError("--lease-seconds is from 1 to 3600 and --disk-reserve at least 0")
        }
        if let config { try settings.apply(SiteConfiguration(contentsOf: config)) }
        settings.isOpen = settings.isOpen || open
        settings.title = title ?? settings.title
        settings.dicomAddress = dicomAddress ?? settings.dicomAddress
        settings.dicomPort = dicomPort ?? settings.dicomPort
        (settings.httpHost, settings.httpPort) = (httpHost, httpPort)
        do {
            let title = settings.title
            settings.destinations += try destination.map { try .init($0, callingTitle: title) }
        } catch {
            throw ValidationError("--destination is TITLE@HOST:PORT with a title of up to 16 characters")
        }
        settings.sites += try site.map { try SiteFile.read($0) }
        if let quietSeconds { settings.quietTime = .milliseconds(Int64(quietSeconds * 1000)) }
        settings.workerSlots = slots
        settings.leaseTime = .milliseconds(Int64(leaseSeconds * 1000))
        if let diskReserve { settings.diskReserveBytes = diskReserve << 20 }
        return settings
    }

    func run(_ parts: Set<Service.Part>, requiringDatabase: Bool) async throws {
        let log = Logger(label: "scintivol") { _ in JSONLogHandler() }
        let settings = try settings(requiringDatabase: requiringDatabase)
        try await Service(settings, parts: parts, log: log).run { addresses in
            // One line for whoever started us, with the ports that were taken.
            Terminal.answer(addresses.line)
        }
    }
}

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run everything on one machine: listener, REST, workers and, if none is given, a database.")
    @OptionGroup var options: ServiceOptions

    func run() async throws { try await options.run([.serve, .work], requiringDatabase: false) }
}

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run listener, assembly, exports and REST.")
    @OptionGroup var options: ServiceOptions

    func run() async throws { try await options.run([.serve], requiringDatabase: true) }
}

struct Work: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run workers.")
    @OptionGroup var options: ServiceOptions

    func run() async throws { try await options.run([.work], requiringDatabase: true) }
}

/// The hidden half of a job.
struct Child: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: ChildWork.subcommand, shouldDisplay: false)

    func run() throws {
        guard ChildWork.run() else { throw ExitCode(2) }
    }
}
