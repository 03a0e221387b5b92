import DICOM
import Testing

/// Address ranges and who is let in.
@Suite struct AccessPolicyTests {
    @Test(arguments: [
        ("10.1.2.3", "10.1.2.3", true), ("10.1.2.3", "10.1.2.4", false), ("10.1.2.0/24", "10.1.2.255", true),
        ("10.1.2.0/24", "10.1.3.0", false), ("10.1.2.128/25", "10.1.2.127", false), ("0.0.0.0/0", "1.2.3.4", true),
        ("0.0.0.0/0", "::1", false), ("172.16.0.0/12", "172.31.255.1", true), ("172.16.0.0/12", "172.32.0.1", false),
        ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false), ("::1", "::1", true),
    ])
    func aRangeHoldsTheAddressesThatBeginAlike(range: String, address: String, isInside: Bool) throws {
        #expect(try #require(AddressRange(range)).contains(address) == isInside)
    }

    @Test(arguments: [
        "", "10.1.2", "10.1.2.3/33", "10.1.2.3/-1", "10.1.2.3/+8", "10.1.2.3/", "::1/129", "pacs.example",
        "10.1.2.3/8/8",
    ])
    func whatIsNoRangeIsNone(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test func loopbackIsThisMachine() {
        for address in ["127.0.0.1", "127.9.9.9", "::1"] {
            #expect(AddressRange.loopback.contains { $0.contains(address) })
        }
        #expect(!AddressRange.loopback.contains { $0.contains("128.0.0.1") || $0.contains("::2") })
    }
}
