/// An attribute of the DICOM dictionary: its number and the representation of its values.
///
/// - Source: DICOM PS3.6, Registry of DICOM Data Elements; the static names are its keywords.
public struct AttributeTag: Hashable, Sendable {
    public let group, element: UInt16
    public let representation: ValueRepresentation

    public init(_ group: UInt16, _ element: UInt16, _ representation: ValueRepresentation) {
        (self.group, self.element) = (group, element)
        self.representation = representation
    }

    /// The number as the C header takes it.
    var number: UInt32 { UInt32(group) << 16 | UInt32(element) }
}

extension AttributeTag: CustomStringConvertible {
    /// The number as the standard prints it, `(0010,0020)`.
    public var description: String { "(\(Self.hexadecimal(group)),\(Self.hexadecimal(element)))" }

    private static func hexadecimal(_ number: UInt16) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: 4 - digits.count) + digits
    }
}

/// The two letters that say how an attribute's value is encoded.
///
/// - Source: DICOM PS3.5, section 6.2.
public enum ValueRepresentation: String, Hashable, Sendable {
    case AE, AS, AT, CS, DA, DS, DT, FD, FL, IS, LO, LT, OB, OW, PN, SH, SL, SQ, SS, ST, TM, UI, UL, US, UT
}
