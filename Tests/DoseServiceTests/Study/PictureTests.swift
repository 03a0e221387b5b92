import DoseService
import Foundation
import Imaging
import TestSupport
import Testing

/// NIfTI and PNG as Python's own library reads them.
@Suite struct PictureTests {
    /// Runs a script with a file's name as its argument.
    private func python(_ script: String, reading bytes: [UInt8]) async throws -> [String] {
        let folder = try StateFolder()
        try Data(bytes).write(to: URL(fileURLWithPath: folder.file("file")))
        let run = try await Tool.run("python3", ["-c", script, folder.file("file")])
        #expect(run.status == 0, "\(run.errors)")
        return run.output.split(separator: "\n").map(String.init)
    }

    @Test func aVolumeIsReadBackWithItsPlace() async throws {
        let grid = try VoxelGrid(
            columns: 3, rows: 4, slices: 5, spacing: SIMD3(2, 3, 4.5), origin: SIMD3(-10, 20, -30))
        let volume = try Volume(grid: grid, voxels: (0..<60).map { Float($0) * 0.5 })
        let script = """
            import gzip, struct, sys
            b = gzip.open(sys.argv[1]).read()
            print(struct.unpack_from('<i', b, 0)[0], b[344:348] == b'n+1\\0', len(b))
            print(*struct.unpack_from('<8h', b, 40))
            print(*struct.unpack_from('<2h', b, 70), *struct.unpack_from('<f', b, 108), *struct.unpack_from('<h', b, 254))
            print(*struct.unpack_from('<8f', b, 76)[1:4])
            for row in range(3): print(*struct.unpack_from('<4f', b, 280 + 16 * row))
            print(b[148:228].rstrip(b'\\0').decode())
            v = struct.unpack_from('<60f', b, 352)
            print(v[0], v[1], v[3], v[12], v[59])
            """
        let lines = try await python(script, reading: NIfTI.encode(volume, description: "activity Bq/mL"))
        #expect(
            lines == [
                "348 True 592", "3 3 4 5 1 1 1 1", "16 32 352.0 1", "2.0 3.0 4.5", "-2.0 0.0 0.0 10.0",
                "0.0 -3.0 0.0 -20.0", "0.0 0.0 4.5 -30.0", "activity Bq/mL", "0.0 0.5 1.5 6.0 29.5",
            ])
    }

    @Test func aLongDescriptionIsCut() async throws {
        let grid = try VoxelGrid(columns: 1, rows: 1, slices: 1, spacing: SIMD3(1, 1, 1), origin: SIMD3(0, 0, 0))
        let bytes = NIfTI.encode(Volume(grid: grid, repeating: 1), description: String(repeating: "x", count: 200))
        let script = "import gzip, sys; b = gzip.open(sys.argv[1]).read(); print(b[148:229].count(b'x'), b[227])"
        #expect(try await python(script, reading: bytes) == ["79 0"])
    }

    @Test func aPictureIsReadBackWithItsColours() async throws {
        var canvas = Canvas(width: 3, height: 2)
        canvas.set(0, 0, Canvas.Colour(red: 1, green: 2, blue: 3))
        canvas.set(2, 1, Canvas.Colour(red: 200, green: 100, blue: 50))
        // Outside is nowhere.
        canvas.set(3, 0, Canvas.Colour(red: 9, green: 9, blue: 9))
        canvas.set(0, -1, Canvas.Colour(red: 9, green: 9, blue: 9))
        let script = """
            import struct, sys, zlib
            b = open(sys.argv[1], 'rb').read()
            assert b[:8] == b'\\x89PNG\\r\\n\\x1a\\n'
            at, data = 8, b''
            while at < len(b):
                size, kind = struct.unpack_from('>I4s', b, at)
                body = b[at + 8:at + 8 + size]
                assert struct.unpack_from('>I', b, at + 8 + size)[0] == zlib.crc32(kind + body)
                if kind == b'IHDR': print(*struct.unpack('>IIBBBBB', body))
                if kind == b'IDAT': data += body
                at += 12 + size
            print(kind.decode(), at == len(b))
            print(*zlib.decompress(data))
            """
        let lines = try await python(script, reading: PNGEncoder.encode(canvas))
        #expect(
            lines == [
                "3 2 8 2 0 0 0", "IEND True",
                "0 1 2 3 255 255 255 255 255 255 0 255 255 255 255 255 255 200 100 50",
            ])
    }

    @Test(
        arguments: [
            (0, "0"), (0.057, "0.057"), (0.0572, "0.0572"), (1.236, "1.24"), (57.25, "57.2"), (999.6, "1000"),
            (1236, "1240"),
            (98_765, "98800"), (.infinity, "0"),
        ] as [(Float, String)])
    func numbersHaveThreeDigits(value: Float, text: String) { #expect(Panel.short(value) == text) }

    @Test func aScaleThatCutsOffSaysSo() {
        #expect(Panel.clipping(of: [0, 4, 5], above: 5) == nil)
        #expect(Panel.clipping(of: [0, 4, 5.5], above: 5) == "clipped above 5")
    }

    /// Never one plane twice, and none beside another: activity at one place fills no three panels.
    @Test(
        arguments: [
            ([0, 0, 1, 9, 8, 7, 1, 1, 1, 1, 1, 0], [3, 5, 7]), ([0, 1, 1, 1, 1, 9, 8, 1, 1, 1, 1, 1], [1, 3, 5]),
            ([5], [0]), ([0, 0], []), ([0, 3, 4], [1, 2]),
        ] as [([Float], [Int])])
    func planesAreFarApart(sums: [Float], planes: [Int]) {
        let found = OverviewPicture.planes(of: sums)
        #expect(found == planes)
        #expect(Set(found).count == found.count)
    }
}
