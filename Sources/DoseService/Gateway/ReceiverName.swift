import Foundation

/// The name under which a service writes what it holds: random, and the same at every start in its state folder.
enum ReceiverName {
    /// - Throws: ``DurableFile/Failure``.
    static func read(in stateFolder: String) throws(DurableFile.Failure) -> String {
        let path = "\(stateFolder)/receiver"
        if let text = FileManager.default.contents(atPath: path).map({ String(decoding: $0, as: UTF8.self) }),
            let known = UUID(uuidString: text)
        {
            return known.uuidString
        }
        let name = UUID().uuidString
        try DurableFile.write(Array(name.utf8), to: path)
        return name
    }
}
