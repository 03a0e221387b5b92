import DICOM
import Dispatch
import Foundation
import Glibc
import HTTP
import Jobs
public import Logging
import Postgres

/// The running service: listener, assembly, workers, exports and REST on one database.
public struct Service: Sendable {
    /// Which halves run in this process.
    public enum Part: String, CaseIterable, Sendable {
        /// Listener, assembly, exports, REST.
        case serve
        /// Workers.
        case work
    }

    /// Where a started service can be reached.
    public struct Addresses: Codable, Equatable, Sendable {
        public let dicomPort, httpPort: UInt16?
        public let databaseURL: String

        enum CodingKeys: String, CodingKey {
            case dicomPort = "dicom_port"
            case httpPort = "http_port"
            case databaseURL = "database_url"
        }

        /// JSON on one line.
        public var line: String { JSONText.encode(self) }
    }

    private let site: SiteSettings
    private let parts: Set<Part>
    private let log: Logger

    public init(_ site: SiteSettings, parts: Set<Part>, log: Logger) {
        (self.site, self.parts, self.log) = (site, parts, log)
    }

    private var settings: ServiceSettings { site.current }

    /// Runs until the process is asked to end (SIGTERM, SIGINT), then drains.
    ///
    /// - Parameter started: told once everything is up.
    /// - Throws: ``ServiceError``.
    public func run(started: @Sendable (Addresses) -> Void = { _ in }) async throws(ServiceError) {
        let ending = Signals.ending()
        let store = ObjectStore(folder: settings.stateFolder)
        do {
            try FileManager.default.createDirectory(
                atPath: settings.stateFolder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
            try store.prepare()
        } catch { throw .stateFolder(settings.stateFolder) }
        let start = settings
        let database = try await Self.onThread { () throws(ServiceError) in try Database.open(start) }
        let pool = Pool(ConnectionSettings(url: database.url), countLimit: 24)
        do throws(PostgresError) { try await site.begin(pool) } catch { throw .database(error) }
        for warning in site.file?.warnings ?? [] {
            log.warning("configuration", metadata: ["place": "\(warning.path)", "warning": "\(warning.code)"])
        }
        if !site.problems.isEmpty {
            log.error(
                "stored configuration not used",
                metadata: ["problems": "\(site.problems.map(\.description).joined(separator: ", "))"])
        }
        let queue = JobQueue(
            pool: pool, timing: settings.jobTiming,
            failpoint: settings.failpoints.map { plan -> @Sendable (Failpoint) -> Void in { plan.reach($0) } })
        let receiver: String
        do throws(DurableFile.Failure) { receiver = try ReceiverName.read(in: settings.stateFolder) } catch {
            throw .stateFolder(settings.stateFolder)
        }
        let gateway: Gateway?
        do throws(ServiceError) {
            gateway = parts.contains(.serve) ? try await makeGateway(pool, queue, store, receiver) : nil
        } catch {
            pool.closeIdle()
            await Self.onThread { database.close() }
            throw error
        }
        started(
            Addresses(dicomPort: gateway?.dicomPort, httpPort: gateway?.httpPort, databaseURL: database.url))
        log.info("started", metadata: ["version": "\(Version.number)", "commit": "\(Version.commit)"])
        let notifier = SystemdNotifier()
        notifier?.send("READY=1")
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await notifier?.showLife() }
            group.addTask { await site.follow(pool) }
            group.addTask { await database.keep(start, log) }
            if parts.contains(.work) {
                // A training of minutes never stands before a patient's reconstruction.
                for worker in makeWorkers(pool, queue, store) { group.addTask { await worker.run() } }
                settings.artefacts?.tidy(store, now: Date())
            }
            if let intake = gateway?.intake {
                addGatewayTasks(pool, store, &group)
                let search = ArchiveSearch(pool: pool, store: store, site: site, intake: intake, log: log)
                let assembly = CaseAssembly(pool: pool, site: site, search: search, log: log)
                group.addTask { await search.run() }
                let outbox = ExportOutbox(pool: pool, store: store, site: site, owner: receiver, log: log)
                group.addTask { await intake.keepUp() }
                let housekeeping = Housekeeping(
                    queue: queue, store: store, site: site, log: log)
                group.addTask { await assembly.run() }
                if settings.dosePolicy != .off {
                    let cycles = CycleAssembly(pool: pool, hardDeadline: settings.hardDeadline, log: log)
                    group.addTask { await cycles.run() }
                }
                group.addTask { await outbox.run() }
                group.addTask { await housekeeping.run() }
                group.addTask { await gateway?.reloadOnHangup(log) }
            }
            for await _ in ending { break }
            log.info("ending")
            notifier?.send("STOPPING=1")
            await gateway?.drain()
            group.cancelAll()
        }
        pool.closeIdle()
        await Self.onThread { database.close() }
    }

    private func addGatewayTasks(_ pool: Pool, _ store: ObjectStore, _ group: inout TaskGroup<Void>) {
        if let age = settings.retention {
            let retention = Retention(pool: pool, store: store, age: age, log: log)
            group.addTask { await retention.run() }
        }
        if let receiver = settings.auditReceiver {
            let forwarding = AuditForwarding(pool: pool, receiver: receiver, log: log)
            group.addTask { await forwarding.run() }
        }
    }

    private struct Gateway: Sendable {
        let intake: Intake
        let listener: StorageListener
        let server: Server
        let dicomPort, httpPort: UInt16
        let changes: Changes

        /// Certificates are read again at SIGHUP; on an error the old ones stay.
        func reloadOnHangup(_ log: Logger) async {
            for await _ in Signals.hangups() {
                do throws(HTTPError) {
                    try server.reloadTLS()
                    log.info("certificates read")
                } catch { log.failure("certificates not read", error) }
            }
        }

        func drain() async {
            changes.stop()
            await server.drain(within: .seconds(5))
            await Service.onThread {
                if !listener.drain(within: .seconds(10)) { listener.stop() }
            }
        }
    }

    private func makeGateway(
        _ pool: Pool, _ queue: JobQueue, _ store: ObjectStore, _ receiver: String
    ) async throws(ServiceError) -> Gateway {
        let intake = Intake(store: store, pool: pool, receiver: receiver, site: site, log: log)
        let counts: (indexed: Int, rejected: Int) = try await Self.onThread { () throws(ServiceError) in
            do throws(PostgresError) { return try intake.reconcile() } catch { throw .database(error) }
        }
        if counts.indexed + counts.rejected > 0 {
            log.warning(
                "files without rows", metadata: ["indexed": "\(counts.indexed)", "rejected": "\(counts.rejected)"])
        }
        let listener = StorageListener(configuration: settings.listenerConfiguration, handler: intake)
        site.observe { listener.replaceAccess($0.access) }
        let metrics = Metrics(queue: queue, listener: listener)
        do throws(PostgresError) { try await metrics.begin() } catch { throw .database(error) }
        let ring = KeyRing(pool: pool)
        let changes = Changes(ring: ring)
        let routes = Routes(
            pool: pool, queue: queue, store: store, site: site, metrics: metrics,
            readiness: Readiness(pool: pool, store: store, diskReserveBytes: settings.diskReserveBytes),
            intake: intake, changes: changes,
            gatekeeper: Gatekeeper(
                ring: ring, requiresKeys: settings.requiresKeys, requestsPerSecond: settings.requestsPerSecond))
        do {
            try changes.listen(pool.settings)
            let server = try Server(configuration: webConfiguration(metrics), router: routes.router())
            metrics.observe(server)
            return Gateway(
                intake: intake, listener: listener, server: server, dicomPort: try listener.start(),
                httpPort: try server.start(), changes: changes)
        } catch let error as NetworkError {
            throw .listener(error)
        } catch let error as HTTPError { throw .web(error) } catch { throw .stateFolder(settings.stateFolder) }
    }

    private func webConfiguration(_ metrics: Metrics) -> Configuration {
        var configuration = Configuration(host: settings.httpHost, port: settings.httpPort)
        configuration.limits = settings.httpLimits
        configuration.tls = settings.tls
        if settings.logsRequests {
            let accessLog = AccessLog(log)
            metrics.observe(accessLog)
            configuration.accessLog = { accessLog.take($0) }
        }
        return configuration
    }

    private func makeWorkers(_ pool: Pool, _ queue: JobQueue, _ store: ObjectStore) -> [Worker] {
        let jobs = ReconstructionJobs(
            pool: pool, store: store, site: site, program: Self.program, log: log)
        let doses = DoseJobs(
            pool: pool, store: store, site: site, program: Self.program, policy: settings.dosePolicy, log: log)
        let models = ModelJobs(pool: pool, store: store, site: site, program: Self.program, log: log)
        let workerLog = WorkerLog(log: log)
        let owner = "\(ProcessInfo.processInfo.hostName)-\(getpid())"
        return [
            Worker(
                queue: queue,
                settings: Worker.Settings(
                    kinds: [CaseAssembly.jobKind, CycleAssembly.jobKind], owner: owner,
                    slotCount: settings.workerSlots),
                observe: { workerLog.take($0) },
                perform: { job, context in
                    job.kind == CycleAssembly.jobKind
                        ? try await doses.perform(job, context) : try await jobs.perform(job, context)
                }),
            Worker(
                queue: queue,
                settings: Worker.Settings(kinds: [ModelAssembly.jobKind], owner: "\(owner)-models", slotCount: 1),
                observe: { workerLog.take($0) },
                perform: { job, context in try await models.perform(job, context) }),
        ]
    }

    /// This very program, whatever name it was called by.
    static var program: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    /// For calls that block.
    static func onThread<Value: Sendable, Failure: Error>(
        _ body: @escaping @Sendable () throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
            DispatchQueue(label: "service.blocking").async {
                do throws(Failure) {
                    continuation.resume(returning: .success(try body()))
                } catch { continuation.resume(returning: .failure(error)) }
            }
        }
        return try result.get()
    }
}
