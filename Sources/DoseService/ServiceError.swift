public import DICOM
import Glibc
public import HTTP
public import Postgres

/// Why the service does not start.
public enum ServiceError: Error, Equatable, Sendable {
    /// The folder cannot be made or written.
    case stateFolder(String)
    /// Another process has its private database there.
    case stateFolderInUse(String)
    case database(PostgresError)
    /// Everything that is wrong with the site's configuration.
    case configuration([ConfigurationProblem])
    case listener(NetworkError)
    case web(HTTPError)

    /// A sentence for whoever has to act on it.
    public var advice: String {
        switch self {
        case .stateFolder(let path): "cannot write the state folder \(path): make it writable or name another"
        case .stateFolderInUse(let path):
            "another process runs with the state folder \(path): stop it, or name another folder, or give both one "
                + "--database-url"
        case .database(let error): "the database is not usable (\(error)): check its URL and that it runs"
        case .configuration(let problems):
            "the configuration cannot be used:" + problems.map { "\n  \($0)" }.joined()
        case .listener(let error): "cannot listen for DICOM (\(Self.plain(error))): is the port taken?"
        case .web(let error): "cannot listen for HTTP (\(Self.plain(error))): is the port taken?"
        }
    }

    /// As the system names it, where it does.
    private static func plain(_ error: any Error) -> String {
        switch error {
        case NetworkError.cannotListen(_, let code): String(cString: strerror(code))
        case HTTPError.cannotListen(let host, let port, let code): "\(host):\(port): \(String(cString: strerror(code)))"
        default: LogWord.of(error)
        }
    }
}
