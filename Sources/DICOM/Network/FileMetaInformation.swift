/// The first bytes of a Part 10 file: preamble, prefix and group 0002.
///
/// - Source: DICOM PS3.10 section 7.1.
struct FileMetaInformation {
    let sopClass: UID
    let sopInstance: UID
    let transferSyntax: UID
    let sourceTitle: String

    init(of object: IncomingObject) {
        sopClass = object.sopClass
        sopInstance = object.sopInstance
        transferSyntax = object.transferSyntax
        sourceTitle = object.callingTitle
    }

    var encoded: [UInt8] {
        var group: [UInt8] = []
        Self.append(0x0001, "OB", [0, 1], to: &group)
        Self.append(0x0002, "UI", Array(sopClass.description.utf8), to: &group)
        Self.append(0x0003, "UI", Array(sopInstance.description.utf8), to: &group)
        Self.append(0x0010, "UI", Array(transferSyntax.description.utf8), to: &group)
        Self.append(0x0012, "UI", Array(Association.implementationClass.description.utf8), to: &group)
        Self.append(0x0013, "SH", Array(Association.implementationVersion.utf8), to: &group)
        Self.append(0x0016, "AE", Array(sourceTitle.utf8), to: &group)

        var file = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
        let length = UInt32(group.count)
        Self.append(0x0000, "UL", (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }, to: &file)
        return file + group
    }

    /// One element in explicit little endian; values here are shorter than 64 KiB.
    private static func append(_ element: UInt16, _ representation: String, _ value: [UInt8], to bytes: inout [UInt8]) {
        let padding: UInt8 = representation == "UI" || representation == "OB" ? 0 : UInt8(ascii: " ")
        let padded = value.count % 2 == 0 ? value : value + [padding]
        let length = [UInt8(truncatingIfNeeded: padded.count), UInt8(truncatingIfNeeded: padded.count >> 8)]
        bytes += [0x02, 0x00, UInt8(truncatingIfNeeded: element), UInt8(truncatingIfNeeded: element >> 8)]
        bytes += Array(representation.utf8)
        bytes += representation == "OB" ? [0, 0] + length + [0, 0] : length
        bytes += padded
    }
}
