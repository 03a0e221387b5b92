import Foundation
import Synchronization

/// Stage, share and elapsed time of a work, on standard error.
final class ProgressLine: Sendable {
    private struct State {
        var part = 0.0
        var stage = ""
        var isShown = false
        var isTicking = false
    }

    private static let width = 30

    private let state = Mutex(State())
    private let start = ContinuousClock.now

    func show(_ part: Double, _ stage: String) {
        let begins = state.withLock { state in
            let isNew = stage != state.stage
            (state.part, state.stage) = (min(max(part, 0), 1), stage)
            guard Terminal.isInteractive else {
                if isNew { write(text(state) + "\n") }
                return false
            }
            draw(&state)
            if part >= 1 { leave(&state) }
            defer { state.isTicking = true }
            return !state.isTicking
        }
        if begins { tick() }
    }

    /// Lets another line follow.
    func leave() { state.withLock { leave(&$0) } }

    private func leave(_ state: inout State) {
        if state.isShown { write("\n") }
        state.isShown = false
    }

    /// Elapsed time goes on while the work is silent.
    private func tick() {
        Thread.detachNewThread { [self] in
            while true {
                Thread.sleep(forTimeInterval: 1)
                state.withLock { if $0.isShown { draw(&$0) } }
            }
        }
    }

    private func draw(_ state: inout State) {
        let filled = Int((state.part * Double(Self.width)).rounded())
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: Self.width - filled)
        // Goes to the start of the line and clears what is left of a longer one.
        write("\r[\(bar)] \(text(state))\u{1B}[K")
        state.isShown = true
    }

    private func text(_ state: State) -> String {
        "\(Int((state.part * 100).rounded())) %, \(elapsed): \(state.stage)"
    }

    private var elapsed: String {
        let seconds = Int(start.duration(to: .now).components.seconds)
        return seconds < 60 ? "\(seconds) s" : "\(seconds / 60) min \(seconds % 60) s"
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
