import Foundation
import Glibc
import Jobs
import Synchronization
import TestSupport
import Testing

@Suite struct ChildProcessTests {
    private func shell(_ script: String) -> ChildProcess {
        ChildProcess(program: "/bin/sh", arguments: ["-c", script])
    }

    @Test func answersAfterReportingProgress() async throws {
        let heard = Mutex<[ChildProgress]>([])
        let child = shell(
            """
            read request; echo '{"progress":0.25,"stage":"fit"}'; echo '{"progress":1}'; echo "{\\"got\\":$request}"
            """)
        let outcome = try await child.run(request: "[1,2]") { progress in heard.withLock { $0.append(progress) } }
        #expect(outcome.ending == .answered("{\"got\":[1,2]}"))
        #expect(
            heard.withLock { $0 } == [ChildProgress(progress: 0.25, stage: "fit"), ChildProgress(progress: 1)])
    }

    @Test(arguments: [
        ("exit 3", ChildEnding.failed(status: 3)),
        ("kill -KILL $$", .killed(signal: 9)),
        ("true", .noAnswer),
        ("echo '{}'; echo '{}'", .garbled),
        ("echo 'hello'", .garbled),
        ("exec /no/such/program", .failed(status: 127)),
    ])
    func endsInOneOfManyWays(script: String, ending: ChildEnding) async throws {
        #expect(try await shell(script).run(request: "{}").ending == ending)
    }

    /// 5 is SCHED_IDLE of sched(7); the 41st field of proc(5)'s stat.
    @Test(arguments: [(false, "0"), (true, "5")])
    func workOfHoursRunsWhereNothingElseWantsTo(leavesAtOnce: Bool, policy: String) async throws {
        let started = Mutex<Int32?>(nil)
        var child = shell("read r; set -- $(sed 's/.*) //' /proc/self/stat); shift 38; echo \"[$1]\"")
        child.leavesProcessorAtOnce = leavesAtOnce
        let outcome = try await child.run(request: "{}", onStart: { process in started.withLock { $0 = process } })
        #expect(outcome.ending == .answered("[\(policy)]"))
        #expect(started.withLock { $0 } ?? 0 > 1)
    }

    @Test func takesARequestLargerThanAnyBuffer() async throws {
        let request = "\"" + String(repeating: "x", count: 3_000_000) + "\""
        let outcome = try await shell("read r; echo ${#r}").run(request: request)
        #expect(outcome.ending == .answered("\(request.utf8.count)"))
        // One that never reads does not hold us up.
        #expect(try await shell("exec 0<&-; echo 1").run(request: request).ending == .answered("1"))
    }

    @Test func boundsWhatItKeeps() async throws {
        var child = shell("head -c 100000 /dev/zero | tr '\\0' e >&2; echo last >&2; echo 1")
        child.errorLimit = 100
        let outcome = try await child.run(request: "{}")
        #expect(outcome.standardError.utf8.count == 100 && outcome.standardError.hasSuffix("last\n"))
        var endless = shell("yes | tr -d '\\n'")
        endless.lineLimit = 1000
        #expect(try await endless.run(request: "{}").ending == .lineTooLong)
        await #expect(throws: JobsError.requestNotOneLine) { try await shell("true").run(request: "{\n}") }
    }

    @Test func isNicedLimitedAndPassive() async throws {
        var child = shell("echo \"[$(nice),$(ulimit -d),\\\"$OMP_WAIT_POLICY\\\"]\"")
        child.memoryLimit = 64 << 20
        let outcome = try await child.run(request: "{}")
        // The limit is counted in KiB; the tests themselves may already run niced.
        guard case .answered(let answer) = outcome.ending else { return #expect(Bool(false), "\(outcome)") }
        #expect(answer.hasSuffix(",65536,\"PASSIVE\"]"))
        #expect(!answer.hasPrefix("[0,"))
    }

    @Test(arguments: ["", "trap '' TERM; "])
    func cancellingStopsTheWholeGroup(preparation: String) async throws {
        let processes = Mutex<[pid_t]>([])
        var child = shell(
            preparation
                + "sleep 600 & echo \"{\\\"progress\\\":$$}\"; echo \"{\\\"progress\\\":$!}\"; wait; wait; sleep 600")
        child.grace = .milliseconds(300)
        let task = Task { [child] in
            try await child.run(request: "{}") { progress in processes.withLock { $0.append(pid_t(progress.progress)) }
            }
        }
        #expect(try await eventually { processes.withLock { $0.count } == 2 })
        task.cancel()
        #expect(try await task.value.ending == .stopped)
        for process in processes.withLock({ $0 }) { #expect(try await eventually { !isAlive(process) }) }
    }

    @Test func leavesNothingBehindWhenItExits() async throws {
        let outcome = try await shell("sleep 600 & echo $!").run(request: "{}")
        guard case .answered(let answer) = outcome.ending, let process = pid_t(answer) else {
            return #expect(Bool(false), "\(outcome)")
        }
        #expect(try await eventually { !isAlive(process) })
    }

    @Test func inheritsNoDescriptors() async throws {
        // A descriptor without close-on-exec, as other libraries open them.
        let leaked = open("/dev/null", O_RDONLY)
        defer { close(leaked) }
        // Asked without a pipe or an open folder: the shell's own descriptors would be counted now and then.
        let script = "n=3; while [ $n -lt 64 ]; do [ -e /proc/$$/fd/$n ] && echo $n; n=$((n+1)); done; echo 0"
        let outcome = try await shell(script).run(request: "{}")
        #expect(outcome.ending == .answered("0"))
    }

    /// Gone or a zombie that somebody else has yet to collect.
    private func isAlive(_ process: pid_t) -> Bool {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return false }
        return !status.contains(") Z ")
    }
}

@Suite struct ChildSideTests {
    /// Puts a request on this process's standard input, as its parent would.
    private static func becomeChild(request: String) -> (writeEnd: Int32, outputEnd: Int32) {
        var input: [Int32] = [0, 0]
        var output: [Int32] = [0, 0]
        pipe(&input)
        pipe(&output)
        dup2(input[0], STDIN_FILENO)
        dup2(output[1], STDOUT_FILENO)
        for end in [input[0], output[1]] { close(end) }
        let line = Array((request + "\n").utf8)
        _ = write(input[1], line, line.count)
        return (input[1], output[0])
    }

    @Test func talksOnAChannelOfItsOwn() async {
        await #expect(processExitsWith: .success) {
            let ends = ChildSideTests.becomeChild(request: "{\"case\":1}")
            guard let side = ChildSide(), side.request == "{\"case\":1}" else { exit(2) }
            print("a library's chatter")
            side.report(progress: 0.5, stage: "fit")
            side.answer("{\"ok\":true}")
            var buffer = [UInt8](repeating: 0, count: 1000)
            let count = read(ends.outputEnd, &buffer, buffer.count)
            let text = String(decoding: buffer[..<max(0, count)], as: UTF8.self)
            let lines = text.split(separator: "\n")
            exit(lines.count == 2 && lines[0].contains("0.5") && lines[1] == "{\"ok\":true}" ? 0 : 3)
        }
    }

    @Test func endsWithItsParent() async {
        // An exit test's process leads no group, so that it leaves by the exit status 1.
        await #expect(processExitsWith: .exitCode(1)) {
            let ends = ChildSideTests.becomeChild(request: "{}")
            guard ChildSide() != nil else { exit(2) }
            close(ends.writeEnd)
            try await Task.sleep(for: .seconds(60))
            exit(0)
        }
    }
}
