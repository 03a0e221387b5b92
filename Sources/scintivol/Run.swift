import ArgumentParser
import DoseService
import HTTP
import Jobs
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
    @Flag(help: "Ask for a key or certificate also on this machine alone; elsewhere always.") var requireKeys = false
    @Option(help: "PEM file with the server's certificate and its chain; makes HTTP speak TLS.")
    var tlsCertificate: String?
    @Option(help: "PEM file with its private key.") var tlsKey: String?
    @Option(help: "PEM file with the authorities of client certificates.") var tlsClientAuthorities: String?
    @Option(help: "Requests a second of each key or address; 0 for no limit, of guesses at keys neither.")
    var requestsPerSecond = 200.0
    @Option(
        help:
            "Bound of the HTTP server, as NAME=NUMBER; may be repeated. Names: \(LimitNames.all.joined(separator: ", "))."
    )
    var httpLimit: [String] = []
    @Flag(inversion: .prefixedNo, help: "A line of log for each request.") var accessLog = true
    @Option(help: "Days that ended jobs are kept.") var historyDays = 90
    @Option(help: "Archive that results go to, as TITLE@HOST:PORT; may be repeated.") var destination: [String] = []
    @Option(name: .customLong("site"), help: "Description of a camera as JSON; may be repeated.")
    var cameras: [String] = []
    @Option(help: "Doses: off, approval (nothing is sent before somebody agrees), automatic (approval).")
    var dose: String?
    @Option(help: "Seconds without a new instance before a case is put together (5).") var quietSeconds: Double?
    @Option(help: "Jobs at a time.") var slots = 1
    @Option(help: "Seconds after its worker's last word until a job is given to another.") var leaseSeconds = 45.0
    @Option(help: "MiB of free space below which associations are refused (1024).") var diskReserve: Int64?

    /// - Parameter site: the site's description; what options say goes before it.
    func settings(_ site: SiteConfiguration?, requiringDatabase: Bool) throws -> ServiceSettings {
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
        if let site { try settings.apply(site) }
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
        settings.sites += try cameras.map { try SiteFile.read($0) }
        if let quietSeconds { settings.quietTime = .milliseconds(Int64(quietSeconds * 1000)) }
        if let dose {
            guard let policy = DosePolicy(rawValue: dose) else {
                throw ValidationError("--dose is one of \(DosePolicy.allCases.map(\.rawValue).joined(separator: ", "))")
            }
            settings.dosePolicy = policy
        }
        settings.workerSlots = slots
        settings.leaseTime = .milliseconds(Int64(leaseSeconds * 1000))
        if let diskReserve { settings.diskReserveBytes = diskReserve << 20 }
        try addWeb(to: &settings)
        return settings
    }

    private func addWeb(to settings: inout ServiceSettings) throws {
        settings.requiresKeys = requireKeys
        settings.logsRequests = accessLog
        guard requestsPerSecond >= 0, requestsPerSecond.isFinite, (1...36_500).contains(historyDays) else {
            throw ValidationError("--requests-per-second is at least 0 and --history-days from 1 to 36500")
        }
        settings.requestsPerSecond = requestsPerSecond
        settings.historyTime = .seconds(86_400 * historyDays)
        for limit in httpLimit where !LimitNames.set(limit, in: &settings.httpLimits) {
            throw ValidationError("--http-limit is NAME=NUMBER with one of the names that --help lists")
        }
        switch (tlsCertificate, tlsKey) {
        case (nil, nil):
            guard tlsClientAuthorities == nil else {
                throw ValidationError("--tls-client-authorities needs --tls-certificate and --tls-key")
            }
        case (let certificate?, let key?):
            settings.tls = TLSConfiguration(
                certificateChain: certificate, privateKey: key,
                clientCertificates: tlsClientAuthorities.map { .optional(authorities: $0) } ?? .ignored)
        default: throw ValidationError("--tls-certificate and --tls-key belong together")
        }
        if let text = Environment.failpoints {
            guard let plan = FailpointPlan(text) else {
                throw ValidationError("SCINTIVOL_FAILPOINTS is PLACE=kill|stop|pause:MILLISECONDS[@VISIT], with commas")
            }
            settings.failpoints = plan
        }
    }

    func run(
        _ parts: Set<Service.Part>, requiringDatabase: Bool, artefacts: RemoteArtefacts? = nil
    ) async throws {
        let log = Logger(label: "scintivol") { _ in JSONLogHandler() }
        let site = try SiteSettings(file: config.map { SiteConfiguration(contentsOf: $0) }) { site in
            var settings = try settings(site, requiringDatabase: requiringDatabase)
            settings.artefacts = artefacts
            return settings
        }
        try await Service(site, parts: parts, log: log).run { addresses in
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
    @Option(
        help: """
            Address of serve, for a worker that shares no folder with it; SCINTIVOL_KEY holds a key with the role operator.
            """)
    var artefacts: String?

    func run() async throws {
        var remote: RemoteArtefacts?
        if let artefacts {
            guard let key = Environment.key, let made = RemoteArtefacts(address: artefacts, key: key) else {
                throw ValidationError("--artefacts is an address of HTTP, and SCINTIVOL_KEY holds a key")
            }
            remote = made
        }
        try await options.run([.work], requiringDatabase: true, artefacts: remote)
    }
}

/// The hidden half of a job.
struct Child: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: ChildWork.subcommand, shouldDisplay: false)

    func run() throws {
        guard ChildWork.run() else { throw ExitCode(2) }
    }
}
