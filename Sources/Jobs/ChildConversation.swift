import FoundationEssentials
import Glibc
import Postgres

/// The parent's half of the talk with one child, on the thread that waits for it.
struct ChildConversation {
    private let settings: ChildProcess
    private let process: SpawnedProcess
    private let input: DescriptorPair
    private let output: DescriptorPair
    private let error: DescriptorPair
    private let onProgress: (ChildProgress) -> Void

    private var request: ArraySlice<UInt8>
    private var line: [UInt8] = []
    private var answer: String?
    private var violation: ChildEnding?
    private var errorTail: [UInt8] = []
    private var isOutputOpen = true
    private var isErrorOpen = true
    private var killTime: ContinuousClock.Instant?

    init(
        settings: ChildProcess, process: SpawnedProcess, input: DescriptorPair, output: DescriptorPair,
        error: DescriptorPair, request: [UInt8], onProgress: @escaping (ChildProgress) -> Void
    ) {
        self.settings = settings
        self.process = process
        self.input = input
        self.output = output
        self.error = error
        self.request = request[...]
        self.onProgress = onProgress
    }

    mutating func run(until stop: WakeupPipe) -> ChildOutcome {
        while true {
            if let ending = process.reapIfEnded() {
                receive()
                return ChildOutcome(
                    ending: judge(ending), standardError: String(decoding: errorTail, as: UTF8.self))
            }
            if killTime == nil && stop.isSignalled {
                process.signalGroup(SIGTERM)
                killTime = .now + settings.grace
            }
            if violation == .lineTooLong { process.signalGroup(SIGKILL) }
            if let killTime, ContinuousClock.now >= killTime { process.signalGroup(SIGKILL) }
            wait(for: stop)
            sendRequest()
            receive()
        }
    }

    /// The end of a process is seen by its closed outputs or, when something else holds them, at the next tick.
    private func wait(for stop: WakeupPipe) {
        let isQuiet = isOutputOpen || isErrorOpen
        var descriptors = [
            pollfd(fd: request.isEmpty ? -1 : input.ourEnd, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: isOutputOpen ? output.ourEnd : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: isErrorOpen ? error.ourEnd : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: killTime == nil ? stop.descriptor : -1, events: Int16(POLLIN), revents: 0),
        ]
        poll(&descriptors, nfds_t(descriptors.count), isQuiet ? 100 : 5)
    }

    private mutating func sendRequest() {
        while !request.isEmpty {
            let sent = request.withUnsafeBytes {
                send(input.ourEnd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if sent > 0 {
                request = request.dropFirst(sent)
            } else {
                // A child that has closed its input will not read the rest.
                if errno != EAGAIN && errno != EINTR { request = [] }
                return
            }
        }
    }

    private mutating func receive() {
        isOutputOpen = isOutputOpen && ChildConversation.read(output.ourEnd) { take($0) }
        isErrorOpen =
            isErrorOpen
            && ChildConversation.read(error.ourEnd) { bytes in
                errorTail += bytes
                errorTail.removeFirst(max(0, errorTail.count - settings.errorLimit))
            }
    }

    /// Reads what is there.
    ///
    /// - Returns: false at the end of the stream.
    private static func read(_ descriptor: Int32, _ take: (ArraySlice<UInt8>) -> Void) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 14)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count > 0 {
                take(buffer[..<count])
            } else {
                return count < 0 && (errno == EAGAIN || errno == EINTR)
            }
        }
    }

    private mutating func take(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes where violation != .lineTooLong {
            if byte == UInt8(ascii: "\n") {
                takeLine()
                line.removeAll(keepingCapacity: true)
            } else if line.count == settings.lineLimit {
                violation = .lineTooLong
            } else {
                line.append(byte)
            }
        }
    }

    private mutating func takeLine() {
        let data = Data(line)
        let decoder = JSONDecoder()
        // A line that is no progress report must be the answer; decoding it as anything checks that it is JSON.
        if let progress = try? decoder.decode(ChildProgress.self, from: data) {
            onProgress(progress)
        } else if answer == nil, (try? decoder.decode(AnyDocument.self, from: data)) != nil {
            answer = String(decoding: line, as: UTF8.self)
        } else {
            violation = violation ?? .garbled
        }
    }

    private func judge(_ ending: SpawnedProcess.Ending) -> ChildEnding {
        switch ending {
        case _ where violation == .lineTooLong: return .lineTooLong
        case .exited(0):
            if let violation { return violation }
            if let answer { return .answered(answer) }
            return killTime == nil ? .noAnswer : .stopped
        case _ where killTime != nil: return .stopped
        case .exited(let status): return .failed(status: status)
        case .signalled(let signal): return .killed(signal: signal)
        }
    }
}

/// Any JSON document, of which only the syntax matters.
private struct AnyDocument: Decodable {
    init(from decoder: any Decoder) {}
}
