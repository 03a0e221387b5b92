import Dispatch
import Foundation
import Synchronization

/// A temporary folder and the programs that run in it; both go when the benchmark ends, also by a signal.
final class Workspace {
    let folder: String
    private let tenants: Tenants
    private var signals: [any DispatchSourceSignal] = []

    /// - Parameter parent: on the disk that is to be measured.
    init(in parent: String) throws {
        var name = Array("\(parent)/scintivol-benchmark-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw MeasuringError.noFolder(parent) }
        folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // A database server that runs under another account has to get in.
        chmod(folder, 0o755)
        tenants = Tenants(folder: folder)
        for number in [SIGINT, SIGTERM] {
            // Not ignored: programs that are started would inherit that, and not end when asked to.
            signal(number) { _ in }
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [tenants] in
                tenants.end()
                Foundation.exit(130)
            }
            source.resume()
            signals.append(source)
        }
    }

    func subfolder(_ name: String) throws -> String {
        let path = "\(folder)/\(name)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o755])
        return path
    }

    func start(
        _ path: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> ChildProgram {
        let program = try ChildProgram(path, arguments, environment: environment, in: folder)
        atEnd { program.stop() }
        return program
    }

    /// Runs before the folder is removed; what was registered last goes first.
    func atEnd(_ body: @escaping @Sendable () -> Void) { tenants.add(body) }

    func close() { tenants.end() }

    /// What has to end before the folder can go.
    private final class Tenants: Sendable {
        private let folder: String
        private let endings = Mutex<[@Sendable () -> Void]>([])

        init(folder: String) { self.folder = folder }

        func add(_ ending: @escaping @Sendable () -> Void) { endings.withLock { $0.append(ending) } }

        func end() {
            while let ending = endings.withLock({ $0.popLast() }) { ending() }
            // What cannot be removed is left; the figures are made.
            try? FileManager.default.removeItem(atPath: folder)
        }
    }
}

enum MeasuringError: Error, Equatable, CustomStringConvertible {
    case noFolder(String)
    case noPort
    case programFailed(String, status: Int32)
    case programSilent(String)
    case notStored(count: Int)

    var description: String {
        switch self {
        case .noFolder(let parent): "no folder can be made in \(parent)"
        case .noPort: "no free port"
        case .programFailed(let name, let status): "\(name) ended with status \(status)"
        case .programSilent(let name): "\(name) does not answer"
        case .notStored(let count): "\(count) objects were not stored"
        }
    }
}
