/// Why the demonstration ended early.
public enum DemoError: Error, Equatable, Sendable {
    case programMissing(String)
    /// The folder holds something that no demonstration made.
    case folderInUse(String)
    case notStarted(String)
    case sendingFailed
    case caseEnded(state: String, reason: String?)
    case timeout(String)
    case notInArchive

    /// A sentence for whoever watches.
    public var advice: String {
        switch self {
        case .programMissing(let name): "\(name) is not installed: run deploy/install"
        case .folderInUse(let path): "\(path) holds other files: name an empty folder"
        case .notStarted(let name): "\(name) did not start: see its log in the demonstration's folder"
        case .sendingFailed: "the phantom could not be sent to the archive"
        case .caseEnded(let state, let reason): "the case ended as \(state)" + (reason.map { " (\($0))" } ?? "")
        case .timeout(let what): "\(what) took too long"
        case .notInArchive: "the archive does not hold the RT Dose"
        }
    }
}
