import HTTP
import Jobs
import Logging
import Synchronization

/// What the child of one attempt does, as lines of log. The child's own words stay out of it: they may quote data.
final class ChildLog: Sendable {
    private let log: Logger
    private let stage = Mutex<String?>(nil)
    private let start = ContinuousClock.now
    /// How the child passes its trace on.
    let traceparent: String?

    init(_ log: Logger, of job: ClaimedJob) {
        var log = log
        var trace: String?
        for (key, value) in WorkerLog.fields(of: job) {
            log[metadataKey: key] = value
            if key == "trace" { trace = "\(value)" }
        }
        self.log = log
        traceparent = trace.flatMap(TraceContext.init(traceID:))?.traceparent
    }

    func started(_ process: Int32) { log.info("child started", metadata: ["process": "\(process)"]) }

    /// Says each stage once.
    func progressed(_ progress: ChildProgress) {
        guard let now = progress.stage else { return }
        let isNew = stage.withLock { stage in
            defer { stage = now }
            return stage != now
        }
        if isNew { log.info("child at work", metadata: ["stage": "\(now)"]) }
    }

    func ended(_ ending: ChildEnding) {
        let milliseconds = Int((start.duration(to: .now) / .milliseconds(1)).rounded())
        log.info("child ended", metadata: ["ending": "\(Self.word(ending))", "milliseconds": "\(milliseconds)"])
    }

    private static func word(_ ending: ChildEnding) -> String {
        switch ending {
        case .answered: "answered"
        case .noAnswer: "no-answer"
        case .garbled: "garbled"
        case .lineTooLong: "line-too-long"
        case .failed(let status): "failed-\(status)"
        case .killed(let signal): "killed-\(signal)"
        case .stopped: "stopped"
        }
    }
}
