import DICOM
import Foundation

/// Whether two files hold the same object.
///
/// The meta header in front of the dataset names who sent it, so that an object which comes once from its device and
/// once from an archive has two of them; only datasets are compared.
enum StoredObjectComparison {
    private static let bufferByteCount = 1 << 20

    static func isSame(_ first: String, _ second: String) -> Bool {
        let scanner = ObjectScanner()
        // A file that cannot be read is not the same as anything.
        guard let left = try? scanner.scan(path: first), let right = try? scanner.scan(path: second),
            left.transferSyntax == right.transferSyntax,
            left.byteCount - left.datasetOffset == right.byteCount - right.datasetOffset,
            let leftFile = FileHandle(forReadingAtPath: first), let rightFile = FileHandle(forReadingAtPath: second)
        else { return false }
        do {
            try leftFile.seek(toOffset: UInt64(left.datasetOffset))
            try rightFile.seek(toOffset: UInt64(right.datasetOffset))
            while true {
                let (one, other) = (
                    try leftFile.read(upToCount: bufferByteCount), try rightFile.read(upToCount: bufferByteCount)
                )
                guard one == other else { return false }
                if one?.isEmpty ?? true { return true }
            }
        } catch { return false }
    }
}
