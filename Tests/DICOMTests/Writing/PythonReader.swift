import Foundation

/// An independent reader, where the machine has one.
enum PythonReader {
    static let isThere: Bool = {
        let tried = try? output(of: "/usr/bin/env", ["python3", "-c", "import pydicom, numpy"])
        // A machine without Python or pydicom skips the test.
        return tried?.status == 0
    }()

    static func scientific(_ number: Float) -> String { String(format: "%.4e", Double(number)) }
}
