public import Tomography

/// A camera's description on disk.
public enum SiteFile {
    /// - Throws: ``OfflineProblem`` naming every field that is wrong, and why.
    public static func read(_ path: String) throws(OfflineProblem) -> CameraSite { try contents(path).site }

    /// The description and the digest of the file.
    static func contents(_ path: String) throws(OfflineProblem) -> (site: CameraSite, digest: String) {
        guard let file = CameraFile(contentsOf: path) else {
            throw OfflineProblem(
                .needsInput(code: "site-file-missing", fields: [path]), found: [PathFault.line("--site", path)])
        }
        guard let site = file.site, file.problems.isEmpty else {
            throw OfflineProblem(
                .needsInput(
                    code: "site-file-invalid", fields: file.problems.map { $0.path == "." ? "json" : $0.path }),
                found: file.problems.map { $0.described(in: path) })
        }
        return (site, file.digest)
    }
}
