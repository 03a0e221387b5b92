/// Why a file is not an object that may be parsed and kept. Offsets are bytes from the start of the file.
public enum ScanError: Error, Equatable, Sendable {
    case cannotRead(code: Int32)
    /// Not the length that was received.
    case lengthChanged(expected: Int, found: Int)

    case noPrefix
    /// The meta header does not start with its length, or does not end where that says.
    case invalidMetaHeader(offset: Int)
    case unsupportedTransferSyntax

    /// The file ends inside an element, a sequence or an item.
    case truncated(offset: Int)
    /// An element, item or sequence is longer than what encloses it.
    case overrun(offset: Int, element: ElementNumber)
    case oddLength(offset: Int, element: ElementNumber)
    case undefinedLength(offset: Int, element: ElementNumber)
    case invalidRepresentation(offset: Int, element: ElementNumber)
    /// An element where it may not be, such as a delimiter without a beginning.
    case unexpectedElement(offset: Int, element: ElementNumber)
    case duplicateElement(offset: Int, element: ElementNumber)
    case tooDeep(offset: Int, limit: Int)
    case tooManyElements(offset: Int, limit: Int)

    case missingElement(ElementNumber)
    /// A value that breaks the rules of its representation, or is longer than they allow.
    case invalidValue(ElementNumber)
    /// The dataset says something else than the meta header or the C-STORE command.
    case identityMismatch(ElementNumber)

    /// Native pixel data that are not as long as rows, columns, frames, samples and bits ask for.
    case pixelDataLength(expected: Int, found: Int)
    /// Fewer fragments than frames.
    case fragmentCount(frames: Int, found: Int)
    /// The attributes describe more pixels than are allowed, or than can be counted.
    case imageTooLarge
}
