import Imaging

/// Makes bad objects of good ones.
struct ObjectMutator {
    let seeds: [[UInt8]]

    /// Headers that a reader stumbles over: items and sequences of undefined length, delimiters, sequences of both
    /// kinds.
    private static let fragments: [[UInt8]] = [
        [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF], [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0],
        [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0], [0x08, 0x00, 0x40, 0x11, 0x53, 0x51, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        [0x08, 0x00, 0x40, 0x11, 0x55, 0x4E, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        [0xE0, 0x7F, 0x10, 0x00, 0x4F, 0x57, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF],
        [0xE0, 0x7F, 0x10, 0x00, 0x4F, 0x42, 0, 0, 0x02, 0, 0, 0x80], Array("1.2.840.10008.1.2.4.70".utf8),
    ]
    private static let values: [[UInt8]] = [
        [0xFF, 0xFF, 0xFF, 0xFF], [0xFE, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0x80], [0xFF, 0xFF, 0xFF, 0x7F], [0, 0, 0, 0],
        [1, 0, 0, 0], [0xFF, 0xFF], [0, 0], [0xFE, 0xFF], [0x02, 0x00], [0xE0, 0x7F], [0x2D], [0x5C], [0x80],
    ]

    /// The same number gives the same object.
    func object(_ number: UInt64, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed &+ number &* 0x9E37_79B9_7F4A_7C15)
        // Every seed exists: the list is made before the mutator.
        var bytes = seeds[Int(generator.next() % UInt64(seeds.count))]
        for _ in 0...Int(generator.next() % 4) { mutate(&bytes, &generator) }
        return bytes
    }

    private func mutate(_ bytes: inout [UInt8], _ generator: inout SeededGenerator) {
        guard bytes.count > 1 else { return }
        let place = Self.place(bytes.count, &generator)
        switch generator.next() % 8 {
        case 0: bytes[place] ^= 1 << UInt8(generator.next() % 8)
        case 1: bytes[place] = UInt8(truncatingIfNeeded: generator.next())
        case 2: Self.overwrite(&bytes, place, Self.values[Int(generator.next() % UInt64(Self.values.count))])
        case 3: Self.overwrite(&bytes, place, Self.fragments[Int(generator.next() % UInt64(Self.fragments.count))])
        case 4:
            let fragment = Self.fragments[Int(generator.next() % UInt64(Self.fragments.count))]
            let count = Int(generator.next() % 48) + 1
            bytes.insert(contentsOf: repeatElement(fragment, count: count).joined(), at: place)
        case 5: bytes.removeSubrange(place..<min(bytes.count, place + 1 + Int(generator.next() % 64)))
        case 6: bytes.removeSubrange(place...)
        default:
            let other = seeds[Int(generator.next() % UInt64(seeds.count))]
            let start = Int(generator.next() % UInt64(other.count))
            let end = min(other.count, start + 1 + Int(generator.next() % 128))
            bytes.insert(contentsOf: other[start..<end], at: place)
        }
    }

    /// The preamble says nothing: most places lie behind it.
    private static func place(_ count: Int, _ generator: inout SeededGenerator) -> Int {
        let preamble = 128
        guard count > preamble + 1, generator.next() % 64 != 0 else { return Int(generator.next() % UInt64(count)) }
        return preamble + Int(generator.next() % UInt64(count - preamble))
    }

    private static func overwrite(_ bytes: inout [UInt8], _ place: Int, _ value: [UInt8]) {
        for (index, byte) in value.enumerated() where place + index < bytes.count { bytes[place + index] = byte }
    }
}
