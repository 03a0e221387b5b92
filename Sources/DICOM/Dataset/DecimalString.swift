import Glibc

/// A number as at most 16 characters, and the value that these characters stand for.
///
/// - Source: DICOM PS3.5, section 6.2, representation DS.
public struct DecimalString: Equatable, Sendable {
    public static let characterLimit = 16

    public let text: String
    public let value: Double

    /// Reads what a file holds: digits, signs, a point, an exponent. A comma, a NaN, an infinity or a hexadecimal
    /// number is none; more than 16 characters are, because devices write them.
    public init?(_ text: String) {
        guard text.utf8.allSatisfy({ Self.characters.contains($0) }), let value = Double(text), value.isFinite else {
            return nil
        }
        (self.text, self.value) = (text, value)
    }

    /// The closest number that 16 characters hold, to at least ten digits.
    public init(nearest number: Double) { self.init(number, rounding: .toNearestOrEven) }

    /// The smallest number that 10 digits hold and that is not below a positive one.
    public init(roundingUp number: Double) { self.init(number, rounding: .up) }

    private static let characters = Set("0123456789+-.eE".utf8)

    private init(_ number: Double, rounding rule: FloatingPointRoundingRule) {
        precondition(number.isFinite, "a decimal string holds a finite number")
        let shortest = number == number.rounded() && number.magnitude < 1e15 ? "\(Int(number))" : "\(number)"
        guard shortest.utf8.count > Self.characterLimit else {
            (text, value) = (shortest, number)
            return
        }
        let exponent = Int(log10(number.magnitude).rounded(.down)) - 9
        // In two steps, because the power of ten itself may be out of range.
        let half = exponent / 2
        var mantissa = Int((number / pow(10, Double(half)) / pow(10, Double(exponent - half))).rounded(rule))
        // The division is itself rounded, and may have lost the last bit in the wrong direction.
        if rule == .up, Self.parsed(mantissa, exponent) < number { mantissa += 1 }
        let rounded = Self.parsed(mantissa, exponent)
        let plain = "\(rounded)"
        text = plain.utf8.count <= Self.characterLimit ? plain : "\(mantissa)E\(exponent)"
        value = rounded
    }

    private static func parsed(_ mantissa: Int, _ exponent: Int) -> Double {
        guard let value = Double("\(mantissa)e\(exponent)") else {
            preconditionFailure("digits and an exponent are a number")
        }
        return value
    }
}

extension DecimalString {
    /// A number rounded to some significant digits.
    static func rounded(_ value: Double, digits: Int) -> Double {
        guard value != 0, value.isFinite else { return value }
        let scale = pow(10, Double(digits - 1) - log10(abs(value)).rounded(.down))
        return (value * scale).rounded() / scale
    }
}
