import CBuild

/// What this program is.
public enum Version {
    public static let number = "0.1.0"
    /// The commit that it was built from.
    public static var commit: String { String(cString: scintivol_build_commit()) }
}
