import DICOM
import Testing

struct UIDGeneratorTests {
    /// Made with Python's hashlib and uuid: SHA-256 of "5:job 1" and "8:activity", version 8, variant 1.
    @Test func sameNamesGiveTheSameUID() {
        let uids = UIDGenerator(namespace: "job 1")
        #expect(uids.uid("activity") == "2.25.292085578712190739550341217616539856698")
        #expect(
            UIDGenerator(namespace: String(repeating: "long ", count: 40)).uid()
                == "2.25.258018255231287151308686324043901210263")
    }

    @Test func otherNamesGiveOtherUIDs() {
        let uids = UIDGenerator(namespace: "job 1")
        let made = [
            uids.uid("a", "bc"), uids.uid("ab", "c"), uids.uid("abc"), UIDGenerator(namespace: "job 2").uid("abc"),
        ]
        #expect(Set(made).count == made.count)
        #expect(made.allSatisfy { $0.utf8.count <= 64 })
    }
}
