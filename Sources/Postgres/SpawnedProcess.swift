import Glibc

/// A child process in a process group of its own, with no descriptor of the parent but the three it is given.
package struct SpawnedProcess {
    package let identifier: Int32

    /// - Parameters:
    ///   - descriptors: what becomes the child's standard input, output and error.
    /// - Returns: `nil` and the error number when the program could not be started.
    package static func spawn(
        _ program: String, _ arguments: [String], environment: [String: String],
        descriptors: (input: Int32, output: Int32, error: Int32)
    ) -> Result<SpawnedProcess, SpawnFailure> {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, descriptors.input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, descriptors.output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, descriptors.error, STDERR_FILENO)
        closeAllOthers(&actions)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        posix_spawnattr_setpgroup(&attributes, 0)
        // A service blocks and ignores signals; its children start with none blocked and all as usual.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)

        let argumentPointers = ([program] + arguments).map { strdup($0) }
        let environmentPointers = environment.map { strdup("\($0.key)=\($0.value)") }
        defer { (argumentPointers + environmentPointers).forEach { free($0) } }
        var identifier: pid_t = 0
        let status = posix_spawn(
            &identifier, program, &actions, &attributes, argumentPointers + [nil], environmentPointers + [nil])
        return status == 0
            ? .success(SpawnedProcess(identifier: identifier)) : .failure(SpawnFailure(errno: status))
    }

    /// How a process ended.
    package enum Ending: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
    }

    /// How it ended, or `nil` while it runs. Before the leader is reaped, and its number with it, whatever it left
    /// behind in its group is killed.
    package func reapIfEnded() -> Ending? {
        var information = siginfo_t()
        let status = waitid(P_PID, id_t(identifier), &information, WEXITED | WNOHANG | WNOWAIT)
        guard status == 0, information.si_signo == SIGCHLD else { return nil }
        kill(-identifier, SIGKILL)
        var raw: Int32 = 0
        while waitpid(identifier, &raw, 0) < 0 && errno == EINTR {}
        let signal = raw & 0x7f
        return signal == 0 ? .exited((raw >> 8) & 0xff) : .signalled(signal)
    }

    /// Signals the whole group.
    package func signalGroup(_ signal: Int32) { kill(-identifier, signal) }

    /// Glibc has this since 2.34 but Swift's module map hides it; descriptors that other libraries open without
    /// close-on-exec, such as a listening socket, must not live on in a child.
    private static func closeAllOthers(_ actions: inout posix_spawn_file_actions_t) {
        typealias AddCloseFrom = @convention(c) (UnsafeMutablePointer<posix_spawn_file_actions_t>, Int32) -> Int32
        guard let symbol = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np") else {
            preconditionFailure("glibc 2.34 or later is required")
        }
        // The symbol's C declaration is exactly this type.
        _ = unsafeBitCast(symbol, to: AddCloseFrom.self)(&actions, STDERR_FILENO + 1)
    }
}

/// `posix_spawn`'s error number.
package struct SpawnFailure: Error, Equatable {
    package let errno: Int32
}
