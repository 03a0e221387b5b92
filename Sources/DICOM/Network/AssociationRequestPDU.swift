/// The fields of an A-ASSOCIATE-RQ that decide about it.
///
/// DCMTK parses the same bytes afterwards; this reader goes first so that only requests whose items nest exactly, whose
/// titles are printable and whose identifiers are UIDs reach it.
///
/// - Source: DICOM PS3.8 section 9.3.2.
struct AssociationRequestPDU: Equatable {
    let callingTitle: String
    let calledTitle: String
    let contexts: [ProposedContext]

    static let type: UInt8 = 0x01
    static let headLength = 6
    /// 128 contexts with several transfer syntaxes each stay well below this.
    static let bodyLengthLimit = 64 * 1024
    /// Protocol version, two titles and reserved fields.
    static let fixedLength = 68
    static let contextLimit = 128
    static let transferSyntaxLimit = 50

    /// - Parameter body: the PDU without its six byte head.
    init(body: [UInt8]) throws(AssociationRequestFault) {
        guard body.count >= Self.fixedLength else { throw .malformed }
        // Bit 0 says version 1; other bits are for versions to come.
        guard body[1] & 1 == 1 else { throw .unsupported(.protocolVersionNotSupported) }
        calledTitle = try Self.title(body[4..<20], refusal: .calledTitleNotRecognized)
        callingTitle = try Self.title(body[20..<36], refusal: .callingTitleNotRecognized)

        var contexts: [ProposedContext] = []
        var provided: Set<UID> = []
        var hasApplicationContext = false
        var hasUserInformation = false
        var items = ItemReader(body[Self.fixedLength...])
        while let item = try items.next() {
            switch item.type {
            case 0x10 where !hasApplicationContext:
                guard UID(bytes: item.value) == .applicationContext else {
                    throw .unsupported(.applicationContextNotSupported)
                }
                hasApplicationContext = true
            case 0x20:
                contexts.append(try Self.context(item.value))
            case 0x50 where !hasUserInformation:
                provided = try Self.providedClasses(item.value)
                hasUserInformation = true
            default:
                throw .malformed
            }
        }
        guard hasApplicationContext, hasUserInformation, !contexts.isEmpty else { throw .malformed }
        guard contexts.count <= Self.contextLimit, Set(contexts.map(\.identifier)).count == contexts.count else {
            throw .malformed
        }
        self.contexts = contexts.map { context in
            var context = context
            context.requestorProvides = provided.contains(context.abstractSyntax)
            return context
        }
    }

    /// An AE title: 16 bytes, leading and trailing spaces insignificant, no control character, no backslash.
    ///
    /// - Source: DICOM PS3.5 table 6.2-1, AE.
    private static func title(
        _ field: ArraySlice<UInt8>, refusal: AssociationRejection
    ) throws(AssociationRequestFault) -> String {
        guard field.allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\\") }) else {
            throw .unsupported(refusal)
        }
        let space = UInt8(ascii: " ")
        guard let first = field.firstIndex(where: { $0 != space }), let last = field.lastIndex(where: { $0 != space })
        else { throw .unsupported(refusal) }
        return String(decoding: field[first...last], as: UTF8.self)
    }

    private static func context(_ value: ArraySlice<UInt8>) throws(AssociationRequestFault) -> ProposedContext {
        guard value.count >= 4, let identifier = value.first, identifier % 2 == 1 else { throw .malformed }
        var abstractSyntax: UID?
        var transferSyntaxes: [UID] = []
        var items = ItemReader(value.dropFirst(4))
        while let item = try items.next() {
            guard let uid = UID(bytes: item.value) else { throw .malformed }
            switch item.type {
            case 0x30 where abstractSyntax == nil: abstractSyntax = uid
            case 0x40: transferSyntaxes.append(uid)
            default: throw .malformed
            }
        }
        guard let abstractSyntax, (1...transferSyntaxLimit).contains(transferSyntaxes.count) else { throw .malformed }
        return ProposedContext(
            identifier: identifier, abstractSyntax: abstractSyntax, transferSyntaxes: transferSyntaxes)
    }

    /// Sub-items may be of any type (PS3.7 annex D.3.3) but must fill their item exactly.
    ///
    /// - Returns: the classes that the requestor proposes to provide.
    private static func providedClasses(_ value: ArraySlice<UInt8>) throws(AssociationRequestFault) -> Set<UID> {
        var hasMaximumLength = false
        var provided: Set<UID> = []
        var items = ItemReader(value)
        while let item = try items.next() {
            switch item.type {
            case 0x51:
                guard item.value.count == 4, !hasMaximumLength else { throw .malformed }
                hasMaximumLength = true
            case 0x52:
                guard UID(bytes: item.value) != nil else { throw .malformed }
            case 0x54:
                guard let uid = try providedClass(item.value) else { break }
                provided.insert(uid)
            case 0x55:
                guard (1...16).contains(item.value.count) else { throw .malformed }
            default:
                break
            }
        }
        guard hasMaximumLength else { throw .malformed }
        return provided
    }

    /// Reads a role selection: the length of a UID, the UID, and whether the requestor is user and provider.
    private static func providedClass(_ value: ArraySlice<UInt8>) throws(AssociationRequestFault) -> UID? {
        let bytes = Array(value)
        guard bytes.count >= 4 else { throw .malformed }
        let length = Int(bytes[0]) << 8 | Int(bytes[1])
        guard bytes.count == length + 4, let uid = UID(bytes: bytes[2..<2 + length]) else { throw .malformed }
        return bytes[length + 3] == 1 ? uid : nil
    }
}

/// Items of type, reserved byte, 16 bit length and value, one after another.
private struct ItemReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) {
        rest = bytes
    }

    mutating func next() throws(AssociationRequestFault) -> (type: UInt8, value: ArraySlice<UInt8>)? {
        guard let type = rest.first else { return nil }
        guard rest.count >= 4 else { throw .malformed }
        let head = rest.prefix(4)
        let length = Int(head[head.startIndex + 2]) << 8 | Int(head[head.startIndex + 3])
        guard rest.count - 4 >= length else { throw .malformed }
        let value = rest.dropFirst(4).prefix(length)
        rest = rest.dropFirst(4 + length)
        return (type, value)
    }
}
