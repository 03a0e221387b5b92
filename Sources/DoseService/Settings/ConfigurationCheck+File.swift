import Foundation

extension ConfigurationCheck {
    /// Looks into a file of either kind.
    ///
    /// - Parameter echoes: whether the peers of a configuration are called.
    public init(contentsOf path: String, echoes: Bool) {
        let value = FileManager.default.contents(atPath: path).flatMap {
            JSONText.decode(JSONValue.self, from: String(decoding: $0, as: UTF8.self))
        }
        if let value, CameraFile.describesCamera(value), let camera = CameraFile(contentsOf: path) {
            self.init(
                kind: .camera, file: path, problems: camera.problems, warnings: camera.warnings)
        } else {
            var check = ConfigurationCheck(SiteConfiguration(contentsOf: path), echoes: echoes)
            check.file = path
            self = check
        }
    }
}
