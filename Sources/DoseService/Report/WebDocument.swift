import Foundation

/// The same pages as one web page that needs nothing else: every page a drawing, pictures within it.
///
/// - Source: W3C SVG 1.1; WHATWG HTML.
enum WebDocument {
    static func encode(_ pages: [ReportPage], title: String) -> [UInt8] {
        var html = """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(escaped(title))</title>
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <style>body{background:#d8dade;margin:0}svg{display:block;background:#fff;margin:16px auto;\
            max-width:900px;width:100%;height:auto;box-shadow:0 1px 4px #0006}\
            text{font-family:Helvetica,Arial,sans-serif;white-space:pre}image{image-rendering:pixelated}@media print{body{background:#fff}svg{margin:0;\
            box-shadow:none;page-break-after:always}}</style></head><body>

            """
        for (number, page) in pages.enumerated() {
            html += "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" aria-label=\"page \(number + 1)\" "
            html += "viewBox=\"0 0 \(Int(ReportPage.width)) \(Int(ReportPage.height))\">\n"
            for step in page.steps { html += element(step) + "\n" }
            html += "</svg>\n"
        }
        return Array((html + "</body></html>\n").utf8)
    }

    private static func element(_ step: ReportPage.Step) -> String {
        switch step {
        case .text(let text, let place, let size, let isBold, let colour, let anchor):
            let weight = isBold ? " font-weight=\"bold\"" : ""
            let side = anchor == .start ? "" : " text-anchor=\"\(anchor == .middle ? "middle" : "end")\""
            // A browser without Helvetica takes a wider type: the page is laid out for this width.
            let length =
                text.isEmpty ? "" : " textLength=\"\(number(TextMetrics.width(text, size: size, bold: isBold)))\""
            return "<text x=\"\(number(place.x))\" y=\"\(number(place.y))\" font-size=\"\(number(size))\""
                + "\(weight)\(side)\(length) lengthAdjust=\"spacingAndGlyphs\" fill=\"\(hex(colour))\">\(escaped(text))</text>"
        case .line(let points, let width, let colour, let isDashed):
            let list = points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
            let dash = isDashed ? " stroke-dasharray=\"3 2\"" : ""
            return "<polyline points=\"\(list)\" fill=\"none\" stroke=\"\(hex(colour))\" "
                + "stroke-width=\"\(number(width))\" stroke-linejoin=\"round\"\(dash)/>"
        case .box(let place, let size, let fill):
            return "<rect x=\"\(number(place.x))\" y=\"\(number(place.y))\" width=\"\(number(size.x))\" "
                + "height=\"\(number(size.y))\" fill=\"\(hex(fill))\"/>"
        case .picture(let canvas, let place, let size):
            let data = Data(PNGEncoder.encode(canvas)).base64EncodedString()
            return "<image x=\"\(number(place.x))\" y=\"\(number(place.y))\" width=\"\(number(size.x))\" "
                + "height=\"\(number(size.y))\" preserveAspectRatio=\"none\" href=\"data:image/png;base64,\(data)\"/>"
        }
    }

    private static func number(_ value: Double) -> String { String(format: "%.2f", value) }

    private static func hex(_ colour: Canvas.Colour) -> String {
        String(format: "#%02x%02x%02x", colour.red, colour.green, colour.blue)
    }

    static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "\"", with: "&quot;")
    }
}
