import Foundation

/// Pages as a PDF file: text in Helvetica, lines, boxes and pictures.
///
/// - Source: ISO 32000-1:2008 (PDF 1.7), sections 7.5 file structure, 8.5 paths, 8.9 images, 9.4 text; annex D.2,
///   WinAnsiEncoding.
enum PDFDocument {
    static func encode(_ pages: [ReportPage], title: String) -> [UInt8] {
        var file = PDFFile()
        // 1 catalog, 2 page tree, 3 and 4 fonts, 5 information; the rest as it comes.
        var next = 6
        var kids: [Int] = []
        for page in pages {
            let content = PDFContent(page, firstObject: next + 2)
            let pageNumber = next
            kids.append(pageNumber)
            let names = content.pictures.indices.map { "/I\($0) \(next + 2 + $0) 0 R" }.joined(separator: " ")
            file.add(
                pageNumber,
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 \(Int(ReportPage.width)) \(Int(ReportPage.height))] "
                    + "/Resources << /Font << /F1 3 0 R /F2 4 0 R >> /XObject << \(names) >> >> "
                    + "/Contents \(next + 1) 0 R >>")
            file.add(next + 1, stream: Compression.zlib(content.bytes), dictionary: "/Filter /FlateDecode")
            for (index, picture) in content.pictures.enumerated() {
                file.add(
                    next + 2 + index, stream: Compression.zlib(picture.pixels),
                    dictionary: "/Type /XObject /Subtype /Image /Width \(picture.width) /Height \(picture.height) "
                        + "/ColorSpace /DeviceRGB /BitsPerComponent 8 /Interpolate false /Filter /FlateDecode")
            }
            next += 2 + content.pictures.count
        }
        file.add(1, "<< /Type /Catalog /Pages 2 0 R >>")
        let list = kids.map { "\($0) 0 R" }.joined(separator: " ")
        file.add(2, "<< /Type /Pages /Count \(kids.count) /Kids [\(list)] >>")
        for (number, name) in [(3, "Helvetica"), (4, "Helvetica-Bold")] {
            file.add(number, "<< /Type /Font /Subtype /Type1 /BaseFont /\(name) /Encoding /WinAnsiEncoding >>")
        }
        file.add(
            5, bytes: Array("<< /Title ".utf8) + PDFContent.literal(title) + Array(" /Producer (Scintivol) >>".utf8))
        return file.finished(root: 1, information: 5)
    }
}

/// Numbered objects and the table that finds them.
private struct PDFFile {
    private var bytes: [UInt8] = Array("%PDF-1.7\n%".utf8) + [0xE2, 0xE3, 0xCF, 0xD3, 0x0A]
    private var offsets: [Int: Int] = [:]

    mutating func add(_ number: Int, _ body: String) { add(number, bytes: Array(body.utf8)) }

    mutating func add(_ number: Int, bytes body: [UInt8]) {
        offsets[number] = bytes.count
        bytes += Array("\(number) 0 obj\n".utf8) + body + Array("\nendobj\n".utf8)
    }

    mutating func add(_ number: Int, stream: [UInt8], dictionary: String) {
        let head = "<< \(dictionary) /Length \(stream.count) >>\nstream\n"
        add(number, bytes: Array(head.utf8) + stream + Array("\nendstream".utf8))
    }

    func finished(root: Int, information: Int) -> [UInt8] {
        let count = (offsets.keys.max() ?? 0) + 1
        var table = "xref\n0 \(count)\n0000000000 65535 f \n"
        for number in 1..<count { table += String(format: "%010d 00000 n \n", offsets[number] ?? 0) }
        table += "trailer\n<< /Size \(count) /Root \(root) 0 R /Info \(information) 0 R >>\n"
        table += "startxref\n\(bytes.count)\n%%EOF\n"
        return bytes + Array(table.utf8)
    }
}

/// The drawing operators of one page.
private struct PDFContent {
    private(set) var bytes: [UInt8] = []
    private(set) var pictures: [Canvas] = []

    init(_ page: ReportPage, firstObject: Int) {
        for step in page.steps {
            switch step {
            case .text(let text, let place, let size, let isBold, let colour, let anchor):
                let width = TextMetrics.width(text, size: size, bold: isBold)
                let x = place.x - (anchor == .start ? 0 : anchor == .middle ? width / 2 : width)
                add("\(Self.colour(colour)) rg BT /\(isBold ? "F2" : "F1") \(Self.number(size)) Tf ")
                add("\(Self.point(SIMD2(x, place.y))) Td ")
                bytes += Self.literal(text)
                add(" Tj ET\n")
            case .line(let points, let width, let colour, let isDashed):
                add("\(Self.colour(colour)) RG \(Self.number(width)) w 1 j \(isDashed ? "[3 2]" : "[]") 0 d ")
                for (index, point) in points.enumerated() { add("\(Self.point(point)) \(index == 0 ? "m" : "l") ") }
                add("S\n")
            case .box(let place, let size, let fill):
                let corner = Self.point(SIMD2(place.x, place.y + size.y))
                add("\(Self.colour(fill)) rg \(corner) \(Self.number(size.x)) \(Self.number(size.y)) re f\n")
            case .picture(let canvas, let place, let size):
                let corner = Self.point(SIMD2(place.x, place.y + size.y))
                add("q \(Self.number(size.x)) 0 0 \(Self.number(size.y)) \(corner) cm /I\(pictures.count) Do Q\n")
                pictures.append(canvas)
            }
        }
    }

    private mutating func add(_ text: String) { bytes += Array(text.utf8) }

    private static func number(_ value: Double) -> String { String(format: "%.2f", value) }

    private static func point(_ point: SIMD2<Double>) -> String {
        "\(number(point.x)) \(number(ReportPage.height - point.y))"
    }

    private static func colour(_ colour: Canvas.Colour) -> String {
        [colour.red, colour.green, colour.blue].map { number(Double($0) / 255) }.joined(separator: " ")
    }

    /// A string in WinAnsiEncoding; what it has no code for becomes a question mark.
    static func literal(_ text: String) -> [UInt8] {
        var bytes: [UInt8] = [UInt8(ascii: "(")]
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x28, 0x29, 0x5C: bytes += [UInt8(ascii: "\\"), UInt8(scalar.value)]
            case 32...126, 0xA0...0xFF: bytes.append(UInt8(scalar.value))
            default: bytes.append(UInt8(ascii: "?"))
            }
        }
        return bytes + [UInt8(ascii: ")")]
    }
}
