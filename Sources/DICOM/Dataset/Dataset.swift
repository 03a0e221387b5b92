import CDCMTK

/// A DICOM dataset, or an item of one of its sequences.
///
/// A file from outside must have passed the bounded scanner before it is opened here. Values longer than a limit stay
/// on disk, so the file must stay where it is while the dataset is used.
public final class Dataset {
    /// Longer values stay on disk until they are asked for.
    public static let residentValueLimit = 4096

    let item: OpaquePointer
    /// The file to free, in its root alone.
    private let file: OpaquePointer?
    /// Keeps the file alive as long as one of its items is used.
    private let root: Dataset?

    /// An empty dataset to write into.
    public init() {
        var made: OpaquePointer?
        let outcome = cdcmtk_file_create(&made)
        guard outcome == CDCMTK_OK, let made else { preconditionFailure("no memory for an empty dataset") }
        file = made
        item = cdcmtk_file_dataset(made)
        root = nil
    }

    /// Opens a file with preamble and meta header.
    ///
    /// - Throws: ``DICOMReadingError`` with ``Refusal/unreadableFile`` when it is not there, not DICOM, or cut short.
    public init(contentsOf path: String) throws(DICOMReadingError) {
        var made: OpaquePointer?
        let outcome = cdcmtk_file_read(path, UInt32(Self.residentValueLimit), &made)
        guard outcome == CDCMTK_OK, let made else { throw .refused(.unreadableFile) }
        file = made
        item = cdcmtk_file_dataset(made)
        root = nil
    }

    init(item: OpaquePointer, of parent: Dataset) {
        self.item = item
        file = nil
        root = parent.root ?? parent
    }

    deinit {
        if let file { cdcmtk_file_free(file) }
    }

    /// Writes explicit little endian with preamble and meta header, and makes the file durable.
    ///
    /// - Throws: ``DICOMWritingError/fileNotWritten`` when the disk did not take all of it.
    public func write(to path: String) throws(DICOMWritingError) {
        guard let file else { preconditionFailure("an item is written with its dataset") }
        guard cdcmtk_file_write(file, path) == CDCMTK_OK else { throw .fileNotWritten }
    }

    /// UID of the transfer syntax in which the file came.
    public var transferSyntax: String? {
        guard let file = (root ?? self).file, let uid = cdcmtk_file_transfer_syntax(file) else { return nil }
        return String(cString: uid)
    }

    /// - Throws: ``DICOMReadingError`` with ``Refusal/transferSyntax`` when no decoder knows it.
    func decompress() throws(DICOMReadingError) {
        guard let file = (root ?? self).file, cdcmtk_file_decompress(file) == CDCMTK_OK else {
            throw .refused(.transferSyntax)
        }
    }

    /// SpecificCharacterSet of the whole file, empty for the default repertoire.
    var characterSet: String {
        (root ?? self).bytes(.specificCharacterSet).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
