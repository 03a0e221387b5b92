import Glibc
import Postgres

/// A folder in the system's temporary folder that is gone soon after its owner, or this process, has ended, however
/// that happens; with it the programs whose process numbers lie in it.
///
/// A program is ended when its group's number is in a file `*.pid` of the folder, a PostgreSQL server by its lock file.
public final class StateFolder: Sendable {
    public struct CannotMake: Error, Equatable {
        public let errno: Int32
    }

    public let path: String
    private let lifeline: Int32

    public init() throws {
        var name = Array("/tmp/scintivol-test-XXXXXX".utf8CString)
        guard mkdtemp(&name) != nil else { throw CannotMake(errno: errno) }
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // mkdtemp makes it 0700, and a server in it may run as another account.
        chmod(path, 0o755)
        var ends: [Int32] = [0, 0]
        let silent = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard pipe(&ends) == 0, silent >= 0 else { throw CannotMake(errno: errno) }
        lifeline = ends[1]
        _ = fcntl(lifeline, F_SETFD, FD_CLOEXEC)
        // The keeper waits for the end of its input, which the kernel closes with this process. It is nobody's child:
        // swift-testing's exit tests spin, and never end, beside a child that has ended and is not waited for.
        let detach = "exec 3<&0; setsid /bin/sh -c \"$1\" \"$0\" <&3 3<&- &"
        let starter = SpawnedProcess.spawn(
            "/bin/sh", ["-c", detach, path, Self.cleanUp], environment: ["PATH": "/usr/bin:/bin"],
            descriptors: (ends[0], silent, silent))
        close(ends[0])
        close(silent)
        switch starter {
        case .failure(let failure): throw CannotMake(errno: failure.errno)
        case .success(let process): while waitpid(process.identifier, nil, 0) < 0, errno == EINTR {}
        }
    }

    deinit { close(lifeline) }

    public func file(_ name: String) -> String { "\(path)/\(name)" }

    private static let cleanUp = """
        cat > /dev/null
        for record in "$0"/*.pid; do
            [ -f "$record" ] && kill -s KILL -- "-$(cat "$record")"
        done
        find "$0" -name postmaster.pid | while read -r lock; do
            process=$(head -n 1 "$lock")
            kill -s QUIT "$process"
            # One that has ended keeps its number until somebody asks how; not every container's first process soon does.
            while grep -qs '^State:.[^Z]' "/proc/$process/status"; do sleep 0.05; done
        done
        rm -rf "$0"
        """
}
