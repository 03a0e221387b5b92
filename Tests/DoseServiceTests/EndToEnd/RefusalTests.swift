import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// What a scanner that is set up wrongly leaves behind: whoever looks for it finds it.
    @Suite struct RefusalTests {
        @Test func whoIsRefusedIsLoggedAndAudited() async throws {
            let state = try StateFolder()
            let service = try await RunningService(in: state)
            let port = "\(service.addresses.dicomPort)"
            for _ in 0..<3 {
                let call = try await Tool.run("echoscu", ["-aet", "SCANNER", "-aec", "WRONG", "127.0.0.1", port])
                #expect(call.status != 0)
            }
            let isLogged = try await eventually {
                service.logLines.filter { $0["message"] == "association refused" }.count == 3
            }
            #expect(isLogged)
            let line = try #require(service.logLines.first { $0["message"] == "association refused" })
            #expect(line["calling"] == "SCANNER" && line["called"] == "WRONG" && line["peer"] == "127.0.0.1")
            #expect(line["reason"] == "called-title-not-recognized")
            // One row however often it tries.
            let audit = "FROM audit WHERE action = 'association-refused' AND actor = 'SCANNER'"
            let isAudited = try await eventually { try await service.count("SELECT count(*) \(audit)") == 1 }
            #expect(isAudited)
            let shown = try await service.get("/v1/audit?actor=SCANNER")
            let text = String(decoding: shown.body, as: UTF8.self)
            for word in [#""called":"WRONG""#, #""reason":"called-title-not-recognized""#, #""peer":"127.0.0.1""#] {
                #expect(text.contains(word), "\(word)")
            }
            #expect(try await service.text("SELECT outcome || (detail ->> 'called') \(audit)") == "4WRONG")
            #expect(try await service.end() == 0)
        }

        /// The caller hears that its title is not known; the log says that the title is, from other addresses.
        @Test(.enabled(if: MachineAddress.other != nil))
        func aKnownTitleFromAnotherAddressIsToldApart() async throws {
            let state = try StateFolder()
            let address = try #require(MachineAddress.other)
            let file = state.file("site.json")
            let json = """
                {"peers":[{"title":"CAMERA","calls_from":["203.0.113.0/24"]},{"title":"READER","calls_from":["\(address)"]}]}
                """
            try json.write(toFile: file, atomically: true, encoding: .utf8)
            let service = try await RunningService(in: state, ["--config", file, "--dicom-address", "0.0.0.0"])
            let port = "\(service.addresses.dicomPort)"
            for (title, reason) in [
                ("CAMERA", "calling-address-not-allowed"), ("STRANGER", "calling-title-not-recognized"),
            ] {
                let call = try await Tool.run("echoscu", ["-aet", title, "-aec", "SCINTIVOL", address, port])
                #expect(call.status != 0)
                let isLogged = try await eventually {
                    service.logLines.contains { $0["calling"] == title && $0["reason"] == reason }
                }
                #expect(isLogged, "\(title)")
                let audit = "FROM audit WHERE action = 'association-refused' AND actor = '\(title)'"
                let isAudited = try await eventually {
                    try await service.count("SELECT count(*) \(audit) AND detail ->> 'reason' = '\(reason)'") == 1
                }
                #expect(isAudited, "\(title)")
            }
            #expect(try await service.end() == 0)
        }

        /// An association that is accepted without any of the classes that it asks for looks fine to nobody.
        @Test func classesThatAreRefusedAreNamed() async throws {
            let state = try StateFolder()
            let service = try await RunningService(in: state)
            let call = try await Tool.run(
                "findscu",
                [
                    "-S", "-k", "0008,0052=STUDY", "-aet", "VIEWER", "-aec", "SCINTIVOL", "127.0.0.1",
                    "\(service.addresses.dicomPort)",
                ])
            #expect(call.status != 0)
            let studyRootFind = "1.2.840.10008.5.1.4.1.2.2.1"
            let isLogged = try await eventually {
                service.logLines.contains { $0["classes_refused"] == studyRootFind && $0["end"] == "connection-closed" }
            }
            #expect(isLogged)
            let audit = "FROM audit WHERE action = 'association-ended' AND actor = 'VIEWER'"
            let named = try await service.text("SELECT outcome || ' ' || (detail ->> 'classes_refused') \(audit)")
            #expect(named == "4 \(studyRootFind)")
            #expect(try await service.end() == 0)
        }
    }
}
