import Glibc
import HTTP

/// A file of an attempt's result on its way from a worker that has no part in the shared folder.
///
/// Unchecked, because the server calls it from one thread at a time and in order (``BodySink``).
final class ArtefactUpload: BodySink, @unchecked Sendable {
    let principal: Principal
    private let path: String
    private var descriptor: Int32

    /// - Throws: the problem that it cannot be written.
    init(path: String, by principal: Principal) throws(Problem) {
        (self.path, self.principal) = (path, principal)
        descriptor = open("\(path).part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        if descriptor < 0 { throw ProblemType.insufficientStorage.problem() }
    }

    deinit { drop() }

    func receive(_ piece: [UInt8]) throws {
        var rest = piece[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw ProblemType.insufficientStorage.problem() }
            rest = rest.dropFirst(count)
        }
    }

    /// The file has its name, and both are on the disk, before the answer goes out.
    func finish() throws {
        guard fsync(descriptor) == 0 else { throw ProblemType.insufficientStorage.problem() }
        close(descriptor)
        descriptor = -1
        guard rename("\(path).part", path) == 0 else { throw ProblemType.insufficientStorage.problem() }
        try DurableFile.syncFolder(of: path)
    }

    func abandon() { drop() }

    private func drop() {
        guard descriptor >= 0 else { return }
        close(descriptor)
        descriptor = -1
        unlink("\(path).part")
    }
}
