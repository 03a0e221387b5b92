import Learning
import Testing

struct SafetensorsTests {
    /// What `safetensors` 0.6 for Python writes for
    /// `save({'b': [[1.5,-2],[0.1,3e38]], 'a': half [1,0.1,65504], 'cé"': bfloat16 [0.1,-3], 'e': zeros(0,2), 's': 7.0},
    /// metadata={'k"ey': 'v\nä😀'})`.
    private static let header =
        #"{"__metadata__":{"k\"ey":"v\nä😀"},"b":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"#
        + #""e":{"dtype":"F32","shape":[0,2],"data_offsets":[16,16]},"s":{"dtype":"F32","shape":[],"#
        + #""data_offsets":[16,20]},"cé\"":{"dtype":"BF16","shape":[2],"data_offsets":[20,24]},"#
        + #""a":{"dtype":"F16","shape":[3],"data_offsets":[24,30]}}"#
    private static let data: [UInt8] = [
        0x00, 0x00, 0xC0, 0x3F, 0x00, 0x00, 0x00, 0xC0, 0xCD, 0xCC, 0xCC, 0x3D, 0xE6, 0xB1, 0x61, 0x7F, 0x00, 0x00,
        0xE0, 0x40, 0xCD, 0x3D, 0x40, 0xC0, 0x00, 0x3C, 0x66, 0x2E, 0xFF, 0x7B,
    ]
    private static let content = Safetensors(
        metadata: ["k\"ey": "v\nä😀"],
        tensors: [
            "a": StoredTensor(floats: [1, 0.1, 65504], shape: [3], type: .float16),
            "b": StoredTensor(floats: [1.5, -2, 0.1, 3e38], shape: [2, 2]),
            "cé\"": StoredTensor(floats: [0.1, -3], shape: [2], type: .bfloat16),
            "e": StoredTensor(floats: [], shape: [0, 2]), "s": StoredTensor(floats: [7], shape: []),
        ])

    private static func file(_ header: String, data: [UInt8] = [], length: UInt64? = nil) -> [UInt8] {
        let count = length ?? UInt64(header.utf8.count)
        return (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + Array(header.utf8) + data
    }

    @Test func readsWhatPythonWrites() throws {
        #expect(try Safetensors(decoding: Self.file(Self.header, data: Self.data)) == Self.content)
    }

    @Test func writesWhatPythonWrites() {
        #expect(Self.content.encoded() == Self.file(Self.header, data: Self.data))
    }

    @Test func roundsHalfWaysToEven() {
        let stored = StoredTensor(floats: [1.00390625, 1.01171875, .nan, .infinity], shape: [4], type: .bfloat16)
        let values = stored.floats()
        #expect(values[0] == 1 && values[1] == 1.015625 && values[2].isNaN && values[3] == .infinity)
    }

    @Test func readsEscapes() throws {
        let file = try Safetensors(decoding: Self.file(#"{"__metadata__":{"\u0041\/\t":"\ud83d\ude00\\"}}  "#))
        #expect(file.metadata == ["A/\t": "😀\\"])
    }

    private static func tensor(_ shape: String, _ offsets: String, type: String = "F32") -> String {
        #"{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}"#
    }

    struct Hostile: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let error: LearningError
    }

    static let hostile: [Hostile] = [
        Hostile(testDescription: "no length", bytes: [1, 0, 0], error: .checkpointTooShort(byteCount: 3)),
        Hostile(
            testDescription: "truncated header", bytes: file("{}", length: 200),
            error: .checkpointTooShort(byteCount: 10)),
        Hostile(
            testDescription: "huge header", bytes: file("{}", length: .max),
            error: .headerTooLong(byteCount: .max, limit: Safetensors.headerByteLimit)),
        Hostile(
            testDescription: "truncated data", bytes: file(#"{"a":\#(tensor("[2]", "[0,8]"))}"#, data: [0, 0, 0, 0]),
            error: .dataNotContiguous(name: "a")),
        Hostile(
            testDescription: "trailing data", bytes: file(#"{"a":\#(tensor("[1]", "[0,4]"))}"#, data: [0, 0, 0, 0, 9]),
            error: .dataNotContiguous(name: "")),
        Hostile(
            testDescription: "overlap",
            bytes: file(
                #"{"a":\#(tensor("[1]", "[0,4]")),"b":\#(tensor("[1]", "[2,6]"))}"#, data: [0, 0, 0, 0, 0, 0]),
            error: .dataNotContiguous(name: "b")),
        Hostile(
            testDescription: "hole",
            bytes: file(#"{"a":\#(tensor("[1]", "[4,8]"))}"#, data: .init(repeating: 0, count: 8)),
            error: .dataNotContiguous(name: "a")),
        Hostile(
            testDescription: "reversed offsets", bytes: file(#"{"a":\#(tensor("[1]", "[4,0]"))}"#, data: [0, 0, 0, 0]),
            error: .dataNotContiguous(name: "a")),
        Hostile(
            testDescription: "wrong length", bytes: file(#"{"a":\#(tensor("[2]", "[0,4]"))}"#, data: [0, 0, 0, 0]),
            error: .tensorLengthMismatch(name: "a")),
        Hostile(
            testDescription: "overflowing shape",
            bytes: file(#"{"a":\#(tensor("[4611686018427387904,4]", "[0,0]"))}"#),
            error: .tensorLengthMismatch(name: "a")),
        Hostile(
            testDescription: "unknown type",
            bytes: file(#"{"a":\#(tensor("[1]", "[0,8]", type: "F64"))}"#, data: .init(repeating: 0, count: 8)),
            error: .unknownDataType("F64")),
        Hostile(
            testDescription: "equal tensor names",
            bytes: file(#"{"a":\#(tensor("[0]", "[0,0]")),"\u0061":\#(tensor("[0]", "[0,0]"))}"#),
            error: .duplicateName("a")),
        Hostile(
            testDescription: "equal fields", bytes: file(#"{"a":{"dtype":"F32","dtype":"F16"}}"#),
            error: .duplicateName("dtype")),
        Hostile(
            testDescription: "metadata twice", bytes: file(#"{"__metadata__":{},"__metadata__":{}}"#),
            error: .duplicateName("__metadata__")),
    ]

    @Test(arguments: hostile)
    func refuses(_ file: Hostile) {
        #expect(throws: file.error) { try Safetensors(decoding: file.bytes) }
    }

    @Test(arguments: [
        "", " {}", "[]", "{}x", "{", "{\"a\"", "{\"a\":}", "{\"a\":{}}", "{\"a\":{\"x\":1}}",
        "{\"__metadata__\":{\"a\":1}}",
        "{\"a\":\(tensor("[-1]", "[0,0]"))}", "{\"a\":\(tensor("[1.0]", "[0,4]"))}",
        "{\"a\":\(tensor("[01]", "[0,4]"))}",
        "{\"a\":\(tensor("[1e0]", "[0,4]"))}", "{\"a\":\(tensor("[99999999999999999999]", "[0,4]"))}",
        "{\"a\":\(tensor("[1]", "[0,4,8]"))}", "{\"a\":\(tensor("[1]", "[0]"))}",
        "{\"a\":\(tensor("[1,1,1,1,1,1,1,1,1]", "[0,4]"))}", "{\"a\":\(tensor("[1]", "[0,4]")),}",
        "{\"__metadata__\":{\"a\":\"\\ud800\"}}", "{\"__metadata__\":{\"a\":\"\\x\"}}",
        "{\"__metadata__\":{\"a\":\"\u{1}\"}}",
        "{\"__metadata__\":[[[[[[[[]]]]]]]]}",
    ])
    func refusesHeader(_ header: String) {
        #expect {
            try Safetensors(decoding: Self.file(header, data: [0, 0, 0, 0]))
        } throws: { error in
            if case .malformedHeader? = error as? LearningError { true } else { false }
        }
    }

    @Test func refusesBrokenUTF8() {
        let bytes = Self.file("{}", length: 6).prefix(8) + [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x7D]
        #expect(throws: LearningError.malformedHeader(offset: 4)) { try Safetensors(decoding: Array(bytes)) }
    }
}
