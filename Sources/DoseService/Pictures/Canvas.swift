/// A picture in memory.
///
/// - Shape: `pixels` is `[row, column]`, three bytes each: red, green, blue.
package struct Canvas {
    package let width, height: Int
    package private(set) var pixels: [UInt8]

    package struct Colour: Equatable {
        let red, green, blue: UInt8

        package init(red: UInt8, green: UInt8, blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }

        static let white = Colour(red: 255, green: 255, blue: 255)
        static let black = Colour(red: 0, green: 0, blue: 0)
        static let faint = Colour(red: 120, green: 120, blue: 120)
    }

    package init(width: Int, height: Int) {
        (self.width, self.height) = (width, height)
        pixels = Array(repeating: 255, count: width * height * 3)
    }

    package mutating func set(_ x: Int, _ y: Int, _ colour: Colour) {
        guard x >= 0, y >= 0, x < width, y < height else { return }
        let offset = (y * width + x) * 3
        pixels[offset] = colour.red
        pixels[offset + 1] = colour.green
        pixels[offset + 2] = colour.blue
    }

    /// Writes a line of text with its top left corner at a point; returns its width.
    @discardableResult
    mutating func write(_ text: String, x: Int, y: Int, scale: Int = 2, colour: Colour = .black) -> Int {
        var left = x
        for character in text {
            for column in 0..<Lettering.columns {
                for row in 0..<Lettering.rows where Lettering.isSet(character, column: column, row: row) {
                    for dy in 0..<scale {
                        for dx in 0..<scale { set(left + column * scale + dx, y + row * scale + dy, colour) }
                    }
                }
            }
            left += (Lettering.columns + 1) * scale
        }
        return left - x
    }

    static func width(of text: String, scale: Int = 2) -> Int { text.count * (Lettering.columns + 1) * scale }
}
