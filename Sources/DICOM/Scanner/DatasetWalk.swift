/// Walks a dataset to its last element without recursion and without looking at values it does not want.
///
/// - Source: DICOM PS3.5 section 7.5 (nesting), annex A.4 (encapsulated pixel data), section 6.2.2 note 4 (UN of
///   undefined length is implicit little endian).
struct DatasetWalk {
    let depthLimit: Int
    let elementLimit: Int
    let isEncapsulated: Bool

    private(set) var values = CollectedValues()
    private(set) var pixelData: FoundPixelData?

    private var frames: [Frame] = []
    private var depth = 0
    private var elementCount = 0
    private var offset = 0

    /// What the walk is inside of.
    private struct Frame {
        enum Kind {
            case dataset
            case item
            case sequence
            case fragments
        }

        let kind: Kind
        /// Nothing in here reaches beyond; with an undefined length that is the end of what encloses it.
        let end: Int
        let isUndefined: Bool
        let isImplicit: Bool
        var itemCount = 0
    }

    init(depthLimit: Int, elementLimit: Int, isEncapsulated: Bool) {
        self.depthLimit = depthLimit
        self.elementLimit = elementLimit
        self.isEncapsulated = isEncapsulated
    }

    mutating func run(from start: Int, isImplicit: Bool, in window: inout ScanWindow) throws(ScanError) {
        offset = start
        frames = [Frame(kind: .dataset, end: window.byteCount, isUndefined: false, isImplicit: isImplicit)]
        while let frame = frames.last {
            if offset == frame.end {
                guard !frame.isUndefined else { throw .truncated(offset: offset) }
                leave()
                continue
            }
            let header = try ElementHeader(
                at: offset, before: frame.end, isImplicit: frame.isImplicit, in: &window)
            elementCount += 1
            guard elementCount <= elementLimit else { throw .tooManyElements(offset: offset, limit: elementLimit) }
            switch frame.kind {
            case .dataset, .item: try enterElement(header, of: frame, in: &window)
            case .sequence: try enterItem(header, of: frame)
            case .fragments: try skipFragment(header, of: frame)
            }
        }
    }

    private mutating func enterElement(
        _ header: ElementHeader, of frame: Frame, in window: inout ScanWindow
    ) throws(ScanError) {
        if header.number == .itemEnd, frame.kind == .item, frame.isUndefined, header.length == 0 {
            offset = header.valueOffset
            return leave()
        }
        // Groups 0000 to 0007 belong to commands, the meta header and directories; FFFE and FFFF to nobody.
        guard (0x0008...0xFFFD).contains(header.number.group) else {
            throw .unexpectedElement(offset: header.offset, element: header.number)
        }
        let isRoot = frame.kind == .dataset
        if isRoot, header.number.isPixelData { try note(pixelData: header) }
        if try startsSequence(header, in: frame, &window) {
            guard !(isRoot && CollectedValues.wants(header.number)) else { throw .invalidValue(header.number) }
            return try enterSequence(header, of: frame)
        }
        guard let length = header.length else {
            guard isEncapsulated, header.number == .pixelData, !frame.isImplicit,
                header.representation == .otherByte || header.representation == .otherWord
            else { throw .undefinedLength(offset: header.offset, element: header.number) }
            offset = header.valueOffset
            frames.append(Frame(kind: .fragments, end: frame.end, isUndefined: true, isImplicit: false))
            return
        }
        if isRoot, CollectedValues.wants(header.number) { try values.collect(header, length: length, from: &window) }
        offset = header.valueOffset + length
    }

    /// Whether the value is made of items, as a parser with a dictionary would see it.
    private func startsSequence(
        _ header: ElementHeader, in frame: Frame, _ window: inout ScanWindow
    ) throws(ScanError) -> Bool {
        guard frame.isImplicit else {
            return header.representation == .sequence || (header.representation == .unknown && header.length == nil)
        }
        // Without a dictionary an implicit sequence shows itself by its first item. What looks like one must be one,
        // because the parser that comes after this scan would go down into it.
        guard let length = header.length else { return true }
        let itemHeaderLength = 8
        guard length >= itemHeaderLength, !header.number.isPixelData else { return false }
        return try window.number(at: header.valueOffset) == .item
    }

    private mutating func enterSequence(_ header: ElementHeader, of frame: Frame) throws(ScanError) {
        guard depth < depthLimit else { throw .tooDeep(offset: header.offset, limit: depthLimit) }
        depth += 1
        offset = header.valueOffset
        let isImplicit = frame.isImplicit || header.representation == .unknown
        let end = header.length.map { header.valueOffset + $0 } ?? frame.end
        frames.append(Frame(kind: .sequence, end: end, isUndefined: header.length == nil, isImplicit: isImplicit))
    }

    private mutating func enterItem(_ header: ElementHeader, of frame: Frame) throws(ScanError) {
        offset = header.valueOffset
        if header.number == .sequenceEnd, frame.isUndefined, header.length == 0 { return leave() }
        guard header.number == .item else {
            throw .unexpectedElement(offset: header.offset, element: header.number)
        }
        let end = header.length.map { header.valueOffset + $0 } ?? frame.end
        frames.append(Frame(kind: .item, end: end, isUndefined: header.length == nil, isImplicit: frame.isImplicit))
    }

    private mutating func skipFragment(_ header: ElementHeader, of frame: Frame) throws(ScanError) {
        let isRoot = frames.count == 2
        if header.number == .sequenceEnd, header.length == 0 {
            offset = header.valueOffset
            // The first item is the offset table.
            if isRoot { pixelData?.fragmentCount = frame.itemCount - 1 }
            return leave()
        }
        guard header.number == .item, let length = header.length else {
            throw .unexpectedElement(offset: header.offset, element: header.number)
        }
        frames[frames.count - 1].itemCount += 1
        if isRoot { pixelData?.byteCount += length }
        offset = header.valueOffset + length
    }

    private mutating func leave() {
        if frames.removeLast().kind == .sequence { depth -= 1 }
    }

    private mutating func note(pixelData header: ElementHeader) throws(ScanError) {
        guard pixelData == nil else { throw .duplicateElement(offset: header.offset, element: header.number) }
        if isEncapsulated, header.length != nil {
            throw .unexpectedElement(offset: header.offset, element: header.number)
        }
        pixelData = FoundPixelData(isEncapsulated: isEncapsulated, byteCount: header.length ?? 0)
    }
}

/// Pixel data as the walk found them.
struct FoundPixelData {
    let isEncapsulated: Bool
    var byteCount: Int
    var fragmentCount = 0
}
