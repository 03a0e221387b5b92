import HTTP
import Testing

/// The masks, against the grammars they were made from.
@Suite struct OctetSetTests {
    private static let alphanumerics = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

    private func members(_ set: OctetSet) -> Set<UInt8> {
        Set((0...255).filter { set.contains(UInt8($0)) }.map { UInt8($0) })
    }

    private func octets(_ text: String) -> Set<UInt8> { Set((text + Self.alphanumerics).utf8) }

    @Test func holdTheirGrammar() {
        #expect(members(.token) == octets("!#$%&'*+-.^_`|~"))
        #expect(members(.path) == octets("-._~!$&'()*+,;=:@%/"))
        #expect(members(.query) == octets("-._~!$&'()*+,;=:@%/?"))
        #expect(members(.registeredName) == octets("-._~!$&'()*+,;="))
        #expect(members(.hexDigit) == Set("0123456789abcdefABCDEF".utf8))
    }
}
