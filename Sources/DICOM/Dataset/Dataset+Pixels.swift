import CDCMTK

/// How a dataset's pixels are stored, checked before memory is asked for.
///
/// - Source: DICOM PS3.3 C.7.6.3, Image Pixel Module.
public struct PixelLayout: Equatable, Sendable {
    /// The largest number of pixels that one file may hold.
    public static let pixelCountLimit = 1 << 28
    /// The largest number of single bits, which are read frame by frame.
    static let bitCountLimit = 1 << 33

    public let columns, rows, frames: Int
    public let bitsAllocated, bitsStored: Int
    public let isSigned: Bool

    public var frameCount: Int { columns * rows }

    init(of dataset: Dataset) throws(DICOMReadingError) {
        columns = try dataset.requiredInteger(.columns)
        rows = try dataset.requiredInteger(.rows)
        frames = try dataset.integer(.numberOfFrames) ?? 1
        bitsAllocated = try dataset.requiredInteger(.bitsAllocated)
        bitsStored = try dataset.integer(.bitsStored) ?? bitsAllocated
        isSigned = try dataset.integer(.pixelRepresentation) == 1
        let highBit = try dataset.integer(.highBit) ?? bitsStored - 1
        guard [1, 8, 16, 32].contains(bitsAllocated), (1...bitsAllocated).contains(bitsStored),
            highBit == bitsStored - 1, try dataset.integer(.samplesPerPixel) ?? 1 == 1
        else { throw .refused(.pixelFormat(bitsAllocated: bitsAllocated, bitsStored: bitsStored)) }
        let (plane, planeOverflows) = columns.multipliedReportingOverflow(by: rows)
        let (count, countOverflows) = plane.multipliedReportingOverflow(by: frames)
        let limit = bitsAllocated == 1 ? Self.bitCountLimit : Self.pixelCountLimit
        guard columns > 0, rows > 0, frames > 0, !planeOverflows, !countOverflows, count <= limit else {
            throw .refused(.impossibleDimensions(columns: columns, rows: rows, frames: frames))
        }
    }

    /// A pixel cell's value: the bits above the stored ones are not part of it.
    func value(cell: UInt32) -> Int32 {
        let unused = 32 - bitsStored
        let shifted = cell << unused
        return isSigned ? Int32(bitPattern: shifted) >> unused : Int32(truncatingIfNeeded: shifted >> unused)
    }
}

extension Dataset {
    /// The stored values of all frames, as they are in the file: before any rescaling.
    ///
    /// - Shape: `[frame, row, column]`, column fastest.
    /// - Throws: ``DICOMReadingError`` with a ``Refusal`` about format, length, transfer syntax or lossy compression.
    public func pixels() throws(DICOMReadingError) -> (layout: PixelLayout, values: [Int32]) {
        let layout = try pixelLayout()
        guard layout.bitsAllocated > 1 else {
            throw .refused(.pixelFormat(bitsAllocated: layout.bitsAllocated, bitsStored: layout.bitsStored))
        }
        let raw = try pixelBytes(0..<layout.frameCount * layout.frames * layout.bitsAllocated / 8)
        let values =
            switch layout.bitsAllocated {
            case 8: raw.map { layout.value(cell: UInt32($0)) }
            case 16: Self.values(of: UInt16.self, in: raw, layout)
            default: Self.values(of: UInt32.self, in: raw, layout)
            }
        return (layout, values)
    }

    /// How the pixels are stored, once they are uncompressed and known to be all there.
    ///
    /// - Throws: as ``pixels()``.
    func pixelLayout() throws(DICOMReadingError) -> PixelLayout {
        let layout = try PixelLayout(of: self)
        guard text(.lossyImageCompression) != "01" else { throw .refused(.lossyCompression) }
        try decompress()
        let byteCount = (layout.frameCount * layout.frames * layout.bitsAllocated + 7) / 8
        let found = cdcmtk_item_value_length(item, AttributeTag.pixelData.number)
        // An odd length is padded to an even one.
        guard found == (byteCount + 1) & ~1 else {
            throw .refused(.pixelDataLength(expected: byteCount, found: found))
        }
        return layout
    }

    /// The stored values of one frame of single bits or bytes.
    ///
    /// - Source: DICOM PS3.5, section 8.1.1 and annex D: the first of eight bits is the lowest one, and frames follow each
    ///   other without a gap.
    func smallPixels(ofFrame frame: Int, _ layout: PixelLayout) throws(DICOMReadingError) -> [UInt8] {
        let first = frame * layout.frameCount
        let end = first + layout.frameCount
        switch layout.bitsAllocated {
        case 1:
            let raw = try pixelBytes(first / 8..<(end + 7) / 8)
            return (first..<end).map { raw[$0 / 8 - first / 8] >> ($0 % 8) & 1 }
        case 8: return try pixelBytes(first..<end)
        default:
            throw .refused(.pixelFormat(bitsAllocated: layout.bitsAllocated, bitsStored: layout.bitsStored))
        }
    }

    private func pixelBytes(_ range: Range<Int>) throws(DICOMReadingError) -> [UInt8] {
        var raw = [UInt8](repeating: 0, count: range.count)
        let outcome = cdcmtk_item_copy_value(item, AttributeTag.pixelData.number, range.lowerBound, raw.count, &raw)
        guard outcome == CDCMTK_OK else { throw .refused(.unreadableFile) }
        return raw
    }

    private static func values<Cell: UnsignedInteger & FixedWidthInteger & BitwiseCopyable>(
        of cell: Cell.Type, in raw: [UInt8], _ layout: PixelLayout
    ) -> [Int32] {
        // Pixels are copied to an array's start, which is aligned for every integer.
        raw.withUnsafeBytes { bytes in
            bytes.bindMemory(to: cell).map { layout.value(cell: UInt32(Cell(littleEndian: $0))) }
        }
    }
}
