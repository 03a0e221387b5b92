import DICOM
import DoseService
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    @Suite struct UploadTests {
        private static func body(_ parts: [Data], boundary: String = "b", type: String = "application/dicom") -> Data {
            var body = Data()
            for part in parts {
                body += Data("--\(boundary)\r\nContent-Type: \(type)\r\n\r\n".utf8) + part + Data("\r\n".utf8)
            }
            return body + Data("--\(boundary)--\r\n".utf8)
        }

        private static let related = "Content-Type: multipart/related; type=\"application/dicom\"; boundary=b"

        private func post(
            _ rest: RESTService, _ body: Data, _ path: String = "/v1/dicom/studies", fields: [String] = [related]
        ) async throws -> RawAnswer {
            let client = try RawClient(port: rest.service.addresses.httpPort, timeoutSeconds: 60)
            let head = ["POST \(path) HTTP/1.1", "Host: localhost", "Connection: close"] + fields
            let length = "Content-Length: \(body.count)\r\n\r\n"
            await client.send(Array(((head + [length]).joined(separator: "\r\n")).utf8) + Array(body))
            return try await client.receiveAnswer()
        }

        @Test func aStudyComesInAsByCStore() async throws {
            let phantom = try await SharedPhantom.get()
            let files = try phantom.files("nm", "rtstruct").map { try Data(contentsOf: URL(fileURLWithPath: $0)) }
            try await RESTService.with { rest in
                let answer = try await post(rest, Self.body(files))
                #expect(answer.status == 200 && answer["Content-Type"] == "application/dicom+json")
                let stored = (answer.members["00081199"] as? [String: Any])?["Value"] as? [Any]
                #expect(stored?.count == files.count && answer.members["00081198"] == nil)
                #expect(try await rest.number("SELECT count(*) FROM instance") == files.count)
                let names = try FileManager.default.contentsOfDirectory(atPath: rest.state.file("state/incoming"))
                #expect(names.isEmpty)
                // Sent again it is there already, which is success; a changed byte under the same UID is not.
                #expect(try await post(rest, Self.body([files[0]])).status == 200)
                var changed = files[0]
                changed[changed.count - 10] ^= 1
                let conflict = try await post(rest, Self.body([changed, files[0]]))
                #expect(conflict.status == 202)
                let failed = (conflict.members["00081198"] as? [String: Any])?["Value"] as? [[String: Any]]
                let reason = (failed?.first?["00081197"] as? [String: Any])?["Value"] as? [Int]
                #expect(reason == [0x0111])
                #expect(try await rest.number("SELECT count(*) FROM instance") == files.count)
                #expect(try await rest.number("SELECT count(*) FROM dose_case WHERE true") <= 1)
            }
        }

        /// What an association refuses before anything is sent is refused here by its class.
        @Test func aClassThatNobodyTakesIsRefused() async throws {
            let phantom = try await SharedPhantom.get()
            let file = try #require(try phantom.files("rtstruct").first)
            let dataset = try Dataset(contentsOf: file)
            dataset.put(.sopClassUID, "1.2.840.10008.5.1.4.1.1.88.11")
            dataset.put(.sopInstanceUID, "1.2.3.4.5")
            try await RESTService.with { rest in
                let path = rest.state.file("text-report.dcm")
                try dataset.write(to: path)
                let answer = try await post(rest, Self.body([try Data(contentsOf: URL(fileURLWithPath: path))]))
                #expect(answer.status == 409)
                let failed = (answer.members["00081198"] as? [String: Any])?["Value"] as? [[String: Any]]
                #expect((failed?.first?["00081197"] as? [String: Any])?["Value"] as? [Int] == [0x0122])
                #expect(try await rest.number("SELECT count(*) FROM instance") == 0)
            }
        }

        @Test func whatIsNoObjectIsRefusedAlone() async throws {
            let phantom = try await SharedPhantom.get()
            let file = try Data(contentsOf: URL(fileURLWithPath: try #require(try phantom.files("rtstruct").first)))
            try await RESTService.with { rest in
                let mixed = try await post(rest, Self.body([Data("nonsense".utf8), file, file.prefix(5000)]))
                #expect(mixed.status == 202)
                #expect(((mixed.members["0008119A"] as? [String: Any])?["Value"] as? [Any])?.count == 2)
                let none = try await post(rest, Self.body([Data("nonsense".utf8)]))
                #expect(none.status == 409)
                let foreign = try await post(rest, Self.body([file]), "/v1/dicom/studies/1.2.3")
                #expect(foreign.status == 409)
                #expect(try await rest.number("SELECT count(*) FROM instance") == 1)
                let names = try FileManager.default.contentsOfDirectory(atPath: rest.state.file("state/incoming"))
                #expect(names.isEmpty)
            }
        }

        @Test func whatIsNoMultipartIsAProblem() async throws {
            try await RESTService.with { rest in
                let good = Self.body([Data("x".utf8)])
                let cases: [(Data, [String], Int, String)] = [
                    (Data(good.dropLast(4)), [Self.related], 400, "invalid-multipart"),
                    (Data("no boundary".utf8), [Self.related], 400, "invalid-multipart"),
                    (Data("--b--\r\n".utf8), [Self.related], 400, "invalid-multipart"),
                    (Data("--bX\r\n".utf8) + good, [Self.related], 400, "invalid-multipart"),
                    (Data(), [Self.related], 400, "invalid-multipart"),
                    (good, ["Content-Type: multipart/related; boundary=\"\""], 400, "invalid-multipart"),
                    (good, ["Content-Type: multipart/related"], 400, "invalid-multipart"),
                    (good, ["Content-Type: multipart/form-data; boundary=b"], 415, "unsupported-media-type"),
                    (good, [Self.related, "Content-Encoding: gzip"], 415, "unsupported-media-type"),
                    (
                        good, ["Content-Type: multipart/related; boundary=b; type=\"application/dicom+xml\""], 415,
                        "unsupported-media-type"
                    ),
                ]
                for (body, fields, status, type) in cases {
                    let answer = try await post(rest, body, fields: fields)
                    #expect(answer.status == status && answer.problem == type, "\(fields) \(body.count)")
                }
                let uid = try await post(rest, good, "/v1/dicom/studies/..%5c1")
                #expect(uid.status == 400)
                #expect(try await rest.number("SELECT count(*) FROM audit") == 0)
            }
        }
    }
}

@Suite struct MultipartParserTests {
    private static let sample = Array(
        ("preamble\r\n--b \r\nContent-Type: a/b\r\nX: 1\r\n\r\nfirst\r\n--notb\r\n\r\n--b\r\n\r\n\r\n--b\r\nA: b\r\n\r\n"
            + "\r\n\r\n--c-\r\n\r\n--b--\r\nepilogue").utf8)

    private struct Part: Equatable {
        var fields: [String: String]
        var content: [UInt8] = []
        var isComplete = false
    }

    private static func parse(_ pieces: [ArraySlice<UInt8>]) throws -> [Part] {
        var parser = try #require(MultipartParser(boundary: "b"))
        var parts: [Part] = []
        for piece in pieces {
            try parser.consume(Array(piece)) { event in
                switch event {
                case .part(let fields): parts.append(Part(fields: fields))
                case .content(let bytes): parts[parts.count - 1].content += bytes
                case .partEnd: parts[parts.count - 1].isComplete = true
                }
            }
        }
        try parser.finish()
        return parts
    }

    private static let expected = [
        Part(fields: ["content-type": "a/b", "x": "1"], content: Array("first\r\n--notb\r\n".utf8), isComplete: true),
        Part(fields: [:], isComplete: true),
        Part(fields: ["a": "b"], content: Array("\r\n\r\n--c-\r\n".utf8), isComplete: true),
    ]

    @Test func partsAreTheSameHoweverTheyCome() throws {
        #expect(try Self.parse([Self.sample[...]]) == Self.expected)
        for cut in 1..<Self.sample.count {
            #expect(try Self.parse([Self.sample[..<cut], Self.sample[cut...]]) == Self.expected, "cut at \(cut)")
        }
        #expect(try Self.parse(Self.sample.indices.map { Self.sample[$0...$0] }) == Self.expected)
    }

    @Test(arguments: [
        ("--b\r\nA\r\n\r\nx\r\n--b--", MultipartParser.Violation.fields),
        ("--b\r\nA: 1\r\nA: 2\r\n\r\nx\r\n--b--", .fields), ("--bc\r\n\r\nx\r\n--b--", .boundaryLine),
        ("--b\r\n\r\nx\r\n--b-", .incomplete), ("--b\r\n\r\nx\r\n--b", .incomplete), ("", .incomplete),
        ("--b\r\nA: " + String(repeating: "x", count: 9000) + "\r\n\r\n", .fieldsTooLong),
        ("--b\r\nA: " + String(repeating: "x", count: 9000), .fieldsTooLong),
    ])
    func refusesWhatIsMalformed(text: String, violation: MultipartParser.Violation) {
        #expect(throws: violation) { try Self.parse([Array(text.utf8)[...]]) }
    }

    @Test(arguments: ["", String(repeating: "b", count: 71), "b ", "é", "a\u{7}"])
    func refusesBoundaries(boundary: String) {
        #expect(MultipartParser(boundary: boundary) == nil)
    }

    @Test func readsMediaTypes() {
        let type = MediaType("Multipart/Related; Type=\"application/dicom\" ;boundary=\"a;\\\"b\"; ;x=1")
        #expect(type?.name == "multipart/related")
        #expect(type?.parameters == ["type": "application/dicom", "boundary": "a;\"b", "x": "1"])
        for text in ["", "text", "a/b; c", "a/b; c=1; c=2", "a/b; c=\"x\\"] {
            #expect(MediaType(text) == nil, "\(text)")
        }
    }
}
