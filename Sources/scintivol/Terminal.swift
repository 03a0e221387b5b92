import Foundation

/// What a person sees on standard error.
enum Terminal {
    static let isInteractive = isatty(STDERR_FILENO) == 1

    static func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    /// A line on standard output, at once even into a pipe.
    static func answer(_ line: String) {
        FileHandle.standardOutput.write(Data((line + "\n").utf8))
    }

    /// Redraws a bar in place; nothing when nobody watches.
    static func progress(_ part: Double, _ stage: String) {
        guard isInteractive else { return }
        let width = 30
        let filled = Int((min(max(part, 0), 1) * Double(width)).rounded())
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        let text = "\r[\(bar)] \(Int(part * 100)) % \(stage)          " + (part >= 1 ? "\n" : "")
        FileHandle.standardError.write(Data(text.utf8))
    }
}
