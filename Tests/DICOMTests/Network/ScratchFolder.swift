import Foundation

/// A folder that goes when the test is done with it.
final class ScratchFolder: Sendable {
    let path: String

    init(in root: String = NSTemporaryDirectory()) throws {
        let template = root + "/scintivol-dicom-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: template, withIntermediateDirectories: true)
        path = template
    }

    deinit {
        // Nothing can be done about a folder that does not go.
        try? FileManager.default.removeItem(atPath: path)
    }

    var names: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? []
    }

    func write(_ bytes: [UInt8], as name: String) throws -> String {
        let file = path + "/" + name
        try Data(bytes).write(to: URL(fileURLWithPath: file))
        return file
    }
}

func fileBytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// Asks again until it is so or the deadline has passed.
func eventually(within limit: Duration = .seconds(30), _ condition: () -> Bool) -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if condition() { return true }
        usleep(2_000)
    }
    return condition()
}
