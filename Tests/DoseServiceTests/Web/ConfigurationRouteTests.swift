import Foundation
import Postgres
import TestSupport
import Testing

extension EndToEnd {
    /// The site's description by REST.
    @Suite struct ConfigurationRouteTests {
        private static func peer(_ name: String, _ port: UInt16) -> String {
            #"{"name":"\#(name)","title":"\#(Archive.title)","host":"127.0.0.1","port":\#(port),"receives":["seg","pt"],"#
                + #""verification":"commitment"}"#
        }

        @Test func aDescriptionIsReplacedWithdrawnAndKept() async throws {
            let file = try StateFolder()
            try #"{"quiet_seconds":7}"#.write(toFile: file.file("site.json"), atomically: true, encoding: .utf8)
            try await RESTService.with(["--config", file.file("site.json")]) { rest in
                let before = try await rest.send("GET", "/v1/configuration")
                #expect(before.status == 200 && before.members["source"] as? String == "file")
                #expect((before.members["document"] as? [String: Any])?["quiet_seconds"] as? Double == 7)
                let tag = try #require(before["ETag"])

                let json = #"{"title":"OTHER","peers":[\#(Self.peer("pacs", 104))]}"#
                let put = try await rest.send("PUT", "/v1/configuration", json: json, fields: ["If-Match: \(tag)"])
                #expect(put.status == 200 && put.members["source"] as? String == "rest")
                let after = try await rest.send("GET", "/v1/configuration")
                #expect(after.members["restart_needed"] as? [String] == ["title"])
                #expect(after.members["created_by"] as? String == "local")
                let peers = try await rest.send("GET", "/v1/peers").members["peers"] as? [[String: Any]]
                #expect(peers?.map { $0["name"] as? String } == ["pacs"])
                #expect(peers?.first?["receives"] as? [String] == ["seg", "pt"])

                // Whoever has not seen it replaces nothing.
                let late = try await rest.send("PUT", "/v1/configuration", json: "{}", fields: ["If-Match: \(tag)"])
                #expect(late.status == 409 && late.problem == "conflict")
                #expect(try await rest.number("SELECT count(*) FROM site_configuration") == 1)
                #expect(try await rest.number("SELECT count(*) FROM audit WHERE action = 'configuration-replace'") == 1)

                let withdrawn = try await rest.send("DELETE", "/v1/configuration")
                #expect(withdrawn.status == 200 && withdrawn.members["source"] as? String == "file")
                let none = try await rest.send("GET", "/v1/peers").members["peers"] as? [Any]
                #expect(none?.isEmpty == true)
            }
        }

        /// The same messages as those of the command, all at once, and nothing is replaced.
        @Test func everyMistakeIsNamedAndNothingIsReplaced() async throws {
            let folder = try StateFolder()
            let json = #"{"titel":"X","quiet_seconds":-1,"quiet_seconds":-1,"peers":[{"host":"pacs"}],"cameras":[7]}"#
            try json.write(toFile: folder.file("site.json"), atomically: true, encoding: .utf8)
            let said = try await Scintivol.run("check-config", folder.file("site.json"), "--json")
            let check = try #require(JSONSerialization.jsonObject(with: Data(said.output.utf8)) as? [String: Any])
            let expected = try #require(check["problems"] as? [[String: String]])
            #expect(expected.count == 6)
            try await RESTService.with { rest in
                let put = try await rest.send("PUT", "/v1/configuration", json: json)
                #expect(put.status == 422 && put.problem == "invalid-configuration")
                #expect(put.members["problems"] as? [[String: String]] == expected)
                let checked = try await rest.send("POST", "/v1/configuration/check", json: json)
                #expect(checked.status == 200 && checked.members["problems"] as? [[String: String]] == expected)
                #expect(try await rest.number("SELECT count(*) FROM site_configuration") == 0)
                #expect(try await rest.send("GET", "/v1/configuration").members["source"] as? String == "none")
            }
        }

        @Test func peersAreCalled() async throws {
            let state = try StateFolder()
            let (there, away) = (try Archive.freePort(), try Archive.freePort())
            let archive = try await Archive(in: state, dicomPort: there)
            try await RESTService.with { rest in
                let json =
                    #"{"peers":[\#(Self.peer("pacs", there)),\#(Self.peer("away", away)),{"name":"camera","title":"CAM"}]}"#
                #expect(try await rest.send("PUT", "/v1/configuration", json: json).status == 200)
                let answer = try await rest.send("POST", "/v1/peers/pacs/echo")
                #expect(answer.status == 200 && answer.members["echo"] as? String == "ok")
                #expect(
                    try await rest.send("POST", "/v1/peers/away/echo").members["echo"] as? String == "unreachable")
                #expect(try await rest.send("POST", "/v1/peers/camera/echo").problem == "conflict")
                #expect(try await rest.send("POST", "/v1/peers/nobody/echo").problem == "not-found")
            }
            try await archive.end()
        }

        /// What came by REST counts after a start, and one that has become unusable does not keep the service down.
        @Test func aStoredDescriptionOutlivesTheService() async throws {
            let state = try StateFolder()
            let first = try await RunningService(in: state, [])
            let json = #"{"peers":[\#(Self.peer("pacs", 104))]}"#
            #expect(try await first.put("/v1/configuration", json: json).status == 200)
            #expect(try await first.end() == 0)

            let second = try await RunningService(in: state, [])
            #expect(try await second.get("/v1/peers").text.contains("pacs"))
            try await second.execute(
                "INSERT INTO site_configuration (document, created_by) VALUES ('{\"titel\": 1}', 'test')")
            #expect(try await second.end() == 0)

            let third = try await RunningService(in: state, [])
            #expect(third.process.errors.contains("stored configuration not used"))
            let shown = try await third.get("/v1/configuration")
            let problems = try #require(shown.members["problems"] as? [[String: String]])
            #expect(problems.count == 1 && problems[0]["path"] == "titel" && problems[0]["code"] == "unknown-key")
            #expect(try await third.end() == 0)
        }
    }
}
