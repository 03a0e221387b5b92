import Foundation

/// What a waiting person sees on standard error.
enum Progress {
    private static let isWatched = isatty(STDERR_FILENO) == 1

    static func say(_ line: String) {
        FileHandle.standardError.write(Data((line + "\n").utf8))
    }

    /// Only when standard error is a terminal.
    static func step(_ line: String) {
        if isWatched { say("... \(line)") }
    }
}
