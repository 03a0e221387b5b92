import Foundation

/// pydicom, an independent reader, from Debian's package.
enum PythonReader {
    /// What a script prints about a file.
    static func run(_ script: String, on path: String) throws -> String {
        // Not the first python3 of the path: that may be one without Debian's packages.
        try output(of: "/usr/bin/python3", ["-c", script, path]).text
    }

    static func scientific(_ number: Float) -> String { String(format: "%.4e", Double(number)) }
}
