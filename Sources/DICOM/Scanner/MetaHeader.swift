/// Preamble, prefix and group 0002 of a Part 10 file.
///
/// - Source: DICOM PS3.10 section 7.1.
struct MetaHeader {
    let sopClass: UID
    let sopInstance: UID
    let transferSyntax: UID
    /// Where the dataset begins.
    let end: Int

    private static let preambleLength = 128
    private static let prefix = Array("DICM".utf8)
    private static let group: UInt16 = 0x0002

    init(in window: inout ScanWindow) throws(ScanError) {
        let start = Self.preambleLength + Self.prefix.count
        guard window.byteCount >= start else { throw .noPrefix }
        guard try window.bytes(at: Self.preambleLength, count: Self.prefix.count) == Self.prefix else {
            throw .noPrefix
        }
        let length = try ElementHeader(at: start, before: window.byteCount, isImplicit: false, in: &window)
        guard length.number == .metaGroupLength, length.length == 4 else { throw .invalidMetaHeader(offset: start) }
        var offset = length.valueOffset + 4
        let groupLength = Int(try window.unsigned32(at: length.valueOffset))
        guard groupLength <= window.byteCount - offset else { throw .truncated(offset: start) }
        end = offset + groupLength

        var values = CollectedValues()
        while offset < end {
            let header = try ElementHeader(at: offset, before: end, isImplicit: false, in: &window)
            guard header.number.group == Self.group, let length = header.length else {
                throw .invalidMetaHeader(offset: offset)
            }
            try values.collect(header, length: length, from: &window)
            offset = header.valueOffset + length
        }
        sopClass = try values.requiredUID(.mediaStorageSOPClass)
        sopInstance = try values.requiredUID(.mediaStorageSOPInstance)
        transferSyntax = try values.requiredUID(.transferSyntax)
    }
}
