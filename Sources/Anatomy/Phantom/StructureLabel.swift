/// What one voxel of a synthetic patient belongs to, in one byte.
public struct StructureLabel: Hashable, Sendable {
    /// Its place in a table of 256.
    let code: UInt8

    init(code: UInt8) { self.code = code }

    public static let air = StructureLabel(code: 0)

    public static func organ(_ organ: Organ) -> StructureLabel {
        StructureLabel(code: organCodes[organ] ?? 0)
    }

    /// The inner part of a kidney, which belongs to it but takes up less.
    public static func medulla(_ organ: Organ) -> StructureLabel {
        StructureLabel(code: (organCodes[organ] ?? 0) | medullaBit)
    }

    public static func lesion(_ index: Int) -> StructureLabel {
        StructureLabel(code: lesionBit | UInt8(index))
    }

    /// The organ, when it is part of one.
    public var organ: Organ? {
        guard code != 0, code & Self.lesionBit == 0 else { return nil }
        let index = Int(code & ~Self.medullaBit) - 1
        return Organ.allCases.indices.contains(index) ? Organ.allCases[index] : nil
    }

    /// The lesion's number, when it is one.
    public var lesion: Int? {
        code & Self.lesionBit == 0 ? nil : Int(code & ~Self.lesionBit)
    }

    public var isMedulla: Bool { code & Self.lesionBit == 0 && code & Self.medullaBit != 0 }

    private static let medullaBit: UInt8 = 0x40
    private static let lesionBit: UInt8 = 0x80
    private static let organCodes = Dictionary(
        uniqueKeysWithValues: Organ.allCases.enumerated().map { ($1, UInt8($0 + 1)) })
}
