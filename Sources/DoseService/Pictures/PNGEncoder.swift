import CZlib

/// Portable Network Graphics: eight bits a channel, red, green, blue.
///
/// - Source: W3C PNG (third edition), sections 5 and 11.
package enum PNGEncoder {
    package static func encode(_ canvas: Canvas) -> [UInt8] {
        var bytes: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        // Colour type 2 is truecolour; no interlacing.
        bytes += chunk("IHDR", bigEndian(canvas.width) + bigEndian(canvas.height) + [8, 2, 0, 0, 0])
        var lines: [UInt8] = []
        lines.reserveCapacity(canvas.height * (canvas.width * 3 + 1))
        for row in 0..<canvas.height {
            // Filter 0: the line as it is.
            lines.append(0)
            lines += canvas.pixels[row * canvas.width * 3..<(row + 1) * canvas.width * 3]
        }
        bytes += chunk("IDAT", Compression.zlib(lines))
        return bytes + chunk("IEND", [])
    }

    private static func chunk(_ type: String, _ body: [UInt8]) -> [UInt8] {
        let typed = Array(type.utf8) + body
        let checksum = crc32(0, typed, UInt32(typed.count))
        return bigEndian(body.count) + typed + bigEndian(Int(checksum))
    }

    private static func bigEndian(_ value: Int) -> [UInt8] {
        withUnsafeBytes(of: UInt32(value).bigEndian) { Array($0) }
    }
}

/// zlib in one call.
enum Compression {
    /// - Source: RFC 1950.
    static func zlib(_ bytes: [UInt8]) -> [UInt8] { deflated(bytes, windowBits: 15) }

    /// - Source: RFC 1952.
    static func gzip(_ bytes: [UInt8]) -> [UInt8] { deflated(bytes, windowBits: 15 + 16) }

    private static func deflated(_ bytes: [UInt8], windowBits: Int32) -> [UInt8] {
        var stream = z_stream()
        let started = deflateInit2_(
            &stream, 4, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(started == Z_OK, "zlib refuses only impossible parameters and a lack of memory")
        defer { deflateEnd(&stream) }
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))) + 64)
        var input = bytes
        let count = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                let ended = deflate(&stream, Z_FINISH)
                precondition(ended == Z_STREAM_END, "the bound that zlib names holds the whole output")
                return Int(stream.total_out)
            }
        }
        return Array(output[..<count])
    }
}
