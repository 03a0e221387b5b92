/// Letters for pictures, five columns of seven dots.
///
/// - Shape: each glyph's forty bits are five columns of eight, the first column in the highest byte, the top dot in the
///   lowest bit of each.
enum Lettering {
    static let columns = 5
    static let rows = 7

    /// Whether a dot of a glyph is set; a character that is not in the table is left blank.
    static func isSet(_ character: Character, column: Int, row: Int) -> Bool {
        guard let glyph = glyphs[character] else { return false }
        return glyph >> UInt64((columns - 1 - column) * 8 + row) & 1 == 1
    }

    private static let glyphs: [Character: UInt64] = [
        "%": 0x2313086462, "(": 0x001C224100, ")": 0x0041221C00, "+": 0x08083E0808, ",": 0x0050300000,
        "-": 0x0808080808, ".": 0x0060600000, "/": 0x2010080402, "0": 0x3E5149453E, "1": 0x00427F4000,
        "2": 0x4261514946, "3": 0x2141454B31, "4": 0x1814127F10, "5": 0x2745454539, "6": 0x3C4A494930,
        "7": 0x0171090503, "8": 0x3649494936, "9": 0x064949291E, ":": 0x0036360000, ";": 0x0056360000,
        "=": 0x1414141414,
        "A": 0x7E1111117E, "B": 0x7F49494936, "C": 0x3E41414122, "D": 0x7F4141221C, "E": 0x7F49494941,
        "F": 0x7F09090901, "G": 0x3E4149497A, "H": 0x7F0808087F, "I": 0x00417F4100, "J": 0x2040413F01,
        "K": 0x7F08142241, "L": 0x7F40404040, "M": 0x7F020C027F, "N": 0x7F0408107F, "O": 0x3E4141413E,
        "P": 0x7F09090906, "Q": 0x3E4151215E, "R": 0x7F09192946, "S": 0x4649494931, "T": 0x01017F0101,
        "U": 0x3F4040403F, "V": 0x1F2040201F, "W": 0x3F4038403F, "X": 0x6314081463, "Y": 0x0708700807,
        "Z": 0x6151494543, "_": 0x4040404040, "a": 0x2054545478, "b": 0x7F48444438, "c": 0x3844444420,
        "d": 0x384444487F, "e": 0x3854545418, "f": 0x087E090102, "g": 0x0C5252523E, "h": 0x7F08040478,
        "i": 0x00447D4000, "j": 0x2040443D00, "k": 0x7F10284400, "l": 0x00417F4000, "m": 0x7C04180478,
        "n": 0x7C08040478, "o": 0x3844444438, "p": 0x7C14141408, "q": 0x081414187C, "r": 0x7C08040408,
        "s": 0x4854545420, "t": 0x043F444020, "u": 0x3C4040207C, "v": 0x1C2040201C, "w": 0x3C4030403C,
        "x": 0x4428102844, "y": 0x0C5050503C, "z": 0x4464544C44,
    ]
}
