import Foundation
import Glibc

/// One run of a DCMTK program.
struct CommandLineTool {
    let status: Int32
    let output: String

    /// Runs to the end; output and errors come together.
    init(_ name: String, _ arguments: [String]) throws {
        let running = try RunningTool(name, arguments)
        status = running.waitForStatus()
        output = running.output
    }
}

/// A DCMTK program that goes on until it ends or is stopped.
///
/// Foundation's `Process` can miss the end of one program while another runs, so this one is spawned by hand.
final class RunningTool {
    private let folder: ScratchFolder
    private var process = pid_t()

    struct CannotSpawn: Error {
        let name: String
        let code: Int32
    }

    init(_ name: String, _ arguments: [String]) throws {
        folder = try ScratchFolder()
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, folder.path + "/output", O_WRONLY | O_CREAT, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)

        var words = ([name] + arguments).map { strdup($0) }
        defer { words.forEach { free($0) } }
        words.append(nil)
        let code = posix_spawnp(&process, name, &actions, nil, words, environ)
        guard code == 0 else { throw CannotSpawn(name: name, code: code) }
    }

    var output: String {
        (try? String(decoding: fileBytes(folder.path + "/output"), as: UTF8.self)) ?? ""
    }

    /// The exit status, or minus the signal that ended it.
    func waitForStatus() -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? (status >> 8) & 0xFF : -signal
    }

    func stop() {
        // The program inherited our signal mask, in which Dispatch blocks the gentler signals.
        kill(process, SIGKILL)
        _ = waitForStatus()
    }
}
