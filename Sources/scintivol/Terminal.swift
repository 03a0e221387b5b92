import Foundation

/// What a person sees on standard error.
enum Terminal {
    static let isInteractive = isatty(STDERR_FILENO) == 1

    private static let line = ProgressLine()

    static func say(_ text: String) {
        line.leave()
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    /// A line on standard output, at once even into a pipe.
    static func answer(_ text: String) {
        line.leave()
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    /// How far the work is: a bar that is redrawn in place, or one line for each stage when nobody watches.
    static func progress(_ part: Double, _ stage: String) { line.show(part, stage) }
}
