/// One page of a report as the steps that draw it, for paper and for the web alike.
///
/// - Units: points from the top left corner of an A4 page; a text's place is on its base line.
struct ReportPage {
    static let width = 595.0
    static let height = 842.0
    static let margin = 40.0

    enum Anchor { case start, middle, end }

    enum Step {
        case text(String, at: SIMD2<Double>, size: Double, isBold: Bool, colour: Canvas.Colour, anchor: Anchor)
        case line([SIMD2<Double>], width: Double, colour: Canvas.Colour, isDashed: Bool)
        case box(at: SIMD2<Double>, size: SIMD2<Double>, fill: Canvas.Colour)
        case picture(Canvas, at: SIMD2<Double>, size: SIMD2<Double>)
    }

    private(set) var steps: [Step] = []

    mutating func text(
        _ text: String, _ x: Double, _ y: Double, size: Double = 8, bold: Bool = false,
        colour: Canvas.Colour = .black, anchor: Anchor = .start
    ) {
        steps.append(.text(text, at: SIMD2(x, y), size: size, isBold: bold, colour: colour, anchor: anchor))
    }

    mutating func line(
        _ points: [SIMD2<Double>], width: Double = 0.6, colour: Canvas.Colour = .black, dashed: Bool = false
    ) {
        guard points.count > 1 else { return }
        steps.append(.line(points, width: width, colour: colour, isDashed: dashed))
    }

    mutating func rule(_ y: Double, colour: Canvas.Colour = .faint) {
        line([SIMD2(Self.margin, y), SIMD2(Self.width - Self.margin, y)], width: 0.5, colour: colour)
    }

    mutating func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double, fill: Canvas.Colour) {
        steps.append(.box(at: SIMD2(x, y), size: SIMD2(width, height), fill: fill))
    }

    mutating func picture(_ canvas: Canvas, _ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        steps.append(.picture(canvas, at: SIMD2(x, y), size: SIMD2(width, height)))
    }

    /// Text broken at spaces to fit a width.
    ///
    /// - Returns: where the next line would go.
    @discardableResult
    mutating func paragraph(
        _ text: String, _ x: Double, _ y: Double, width: Double, size: Double = 8, leading: Double = 11,
        colour: Canvas.Colour = .black
    ) -> Double {
        var place = y
        for line in TextMetrics.lines(text, width: width, size: size) {
            self.text(line, x, place, size: size, colour: colour)
            place += leading
        }
        return place
    }
}

extension Canvas.Colour {
    static let pass = Canvas.Colour(red: 20, green: 120, blue: 60)
    static let warn = Canvas.Colour(red: 190, green: 120, blue: 0)
    static let fail = Canvas.Colour(red: 190, green: 20, blue: 30)
    static let shade = Canvas.Colour(red: 238, green: 240, blue: 243)
    static let note = Canvas.Colour(red: 90, green: 90, blue: 90)

    /// Colours for curves and isodoses that people with any colour vision can tell apart.
    ///
    /// - Source: Okabe, Ito, Color Universal Design, 2008.
    static let series = [
        Canvas.Colour(red: 0, green: 114, blue: 178), Canvas.Colour(red: 213, green: 94, blue: 0),
        Canvas.Colour(red: 0, green: 158, blue: 115), Canvas.Colour(red: 204, green: 121, blue: 167),
        Canvas.Colour(red: 86, green: 180, blue: 233), Canvas.Colour(red: 230, green: 159, blue: 0),
        Canvas.Colour(red: 60, green: 60, blue: 60), Canvas.Colour(red: 150, green: 110, blue: 70),
        Canvas.Colour(red: 110, green: 60, blue: 160), Canvas.Colour(red: 120, green: 150, blue: 30),
    ]
}
