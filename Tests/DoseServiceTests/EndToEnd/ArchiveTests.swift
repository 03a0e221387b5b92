import DICOM
import DoseService
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The service and the archives around it.
    @Suite struct ArchiveTests {
        /// A configuration with an archive that is asked, and others.
        ///
        /// The quiet time is longer than an archive's pause between two series.
        private func configuration(
            _ port: UInt16, in state: StateFolder, receives: String = #"["plan","activity"]"#, others: String = "",
            retrieval: String = "move"
        ) throws -> String {
            let file = state.file("site.json")
            let json = """
                {"peers":[{"name":"pacs","title":"\(Archive.title)","host":"127.0.0.1","port":\(port),
                           "receives":\(receives),"is_asked":true,"retrieval":"\(retrieval)"}\(others)],
                 "cameras":[\(SiteDescription.phantom)],"quiet_seconds":2}
                """
            try json.write(toFile: file, atomically: true, encoding: .utf8)
            return file
        }

        /// An archive that answers on our own association need not know where we are.
        @Test(arguments: ["move", "get"]) func theMissingPETCTIsFetchedFromTheArchive(by way: String) async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let port = try Archive.freePort()
            let service = try await RunningService(
                in: state, ["--config", try configuration(port, in: state, retrieval: way)])
            let archive = try await Archive(
                in: state, dicomPort: port, knowing: way == "move" ? service.addresses.dicomPort : nil)
            #expect(try await archive.store(["ct", "pt", "rtstruct"].map(phantom.part)).status == 0)
            #expect(try await service.store(phantom.files("nm")).status == 0)
            let delivered = try await service.firstCase(reaches: "delivered")
            #expect(delivered.instance_count == 450)
            #expect(try await service.text("SELECT outcome FROM case_fetch") == "sent")
            #expect(try await service.count("SELECT count(*) FROM audit WHERE action = 'archive-queried'") == 1)
            #expect(try await archive.instances(ofModality: "RTDOSE").count == 1)
            try await archive.end()
            #expect(try await service.end() == 0)
        }

        /// The sender stops in the middle of the CT and believes that it is done; the archive knows better.
        @Test func aSeriesThatIsCutShortIsCompletedFromTheArchive() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let port = try Archive.freePort()
            let service = try await RunningService(in: state, ["--config", try configuration(port, in: state)])
            let archive = try await Archive(in: state, dicomPort: port, knowing: service.addresses.dicomPort)
            #expect(try await archive.store(["ct", "pt", "rtstruct"].map(phantom.part)).status == 0)
            let cut = try phantom.files("ct").dropLast()
            #expect(try await service.store(phantom.files("nm", "pt", "rtstruct") + cut).status == 0)
            let delivered = try await service.firstCase(reaches: "delivered")
            #expect(delivered.instance_count == 450 && delivered.results.count == 1)
            #expect(try await service.jobs().count == 1)
            let reason = "SELECT detail->>'reason' FROM audit WHERE action = 'archive-queried'"
            #expect(try await service.text(reason) == "series-incomplete")
            try await archive.end()
            #expect(try await service.end() == 0)
        }

        @Test func aDeadDestinationDelaysNoOther() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let (port, dead) = (try Archive.freePort(), try Archive.freePort())
            let other = #",{"name":"dead","title":"DEAD","host":"127.0.0.1","port":\#(dead),"receives":["activity"]}"#
            let service = try await RunningService(
                in: state, ["--config", try configuration(port, in: state, others: other)])
            let archive = try await Archive(in: state, dicomPort: port, knowing: service.addresses.dicomPort)
            #expect(try await service.store(phantom.files("nm", "ct", "pt", "rtstruct")).status == 0)
            let isThere = try await eventually(within: .seconds(300)) {
                let confirmed = "SELECT count(*) FROM export_item WHERE destination = 'pacs' AND state = 'confirmed'"
                return try await service.count(confirmed) == 2
            }
            #expect(isThere)
            let isWaiting = try await eventually {
                let exports = try await service.firstCase(reaches: "exporting").results.flatMap(\.exports)
                let dead = exports.filter { $0.destination == "dead" }
                return dead.map(\.output) == ["activity"] && dead[0].state == "pending" && dead[0].reason == "not-sent"
            }
            #expect(isWaiting)
            try await archive.end()
            #expect(try await service.end() == 0)
        }

        /// An archive that answers Success and has not kept the object.
        @Test func whatTheArchiveDoesNotKnowIsNotDelivered() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let port = try Archive.freePort()
            let forgetful = try RunningProgram(
                "/usr/bin/storescp", ["-aet", Archive.title, "--ignore", "\(port)"], name: "forgetful", in: state,
                environment: Tool.environment)
            let service = try await RunningService(in: state, ["--config", try configuration(port, in: state)])
            #expect(try await service.store(phantom.files("nm", "ct", "pt", "rtstruct")).status == 0)
            let isAsked = try await eventually(within: .seconds(300)) {
                try await service.count("SELECT count(*) FROM export_item WHERE check_count > 1") == 2
            }
            #expect(isAsked)
            let waiting = try await service.firstCase(reaches: "exporting")
            let exports = waiting.results.flatMap(\.exports)
            #expect(exports.allSatisfy { $0.state == "stored" && $0.reason == "cannot-be-asked" })
            forgetful.signalGroup(SIGKILL)
            _ = try await forgetful.status()
            #expect(try await service.end() == 0)
        }

        /// Whoever calls from another address than this machine's own loopback is a stranger unless a peer describes it.
        @Test(.enabled(if: MachineAddress.other != nil)) func strangersAreNotLetIn() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let address = try #require(MachineAddress.other)
            let elsewhere = #"{"peers":[{"title":"CAMERA","calls_from":["192.0.2.1"]}]}"#
            try elsewhere.write(toFile: state.file("site.json"), atomically: true, encoding: .utf8)
            let service = try await RunningService(
                in: state, ["--config", state.file("site.json"), "--dicom-address", "0.0.0.0"])
            let port = "\(service.addresses.dicomPort)"
            // This machine may always call.
            #expect(try await service.store(phantom.files("nm")).status == 0)
            let call = ["-aet", "CAMERA", "-aec", "SCINTIVOL", "-to", "30", "-ta", "30", address, port]
            #expect(try await Tool.run("echoscu", call).status != 0)

            // The site lets it in, from there and under its title alone; nothing is started anew.
            let known = #"{"peers":[{"title":"CAMERA","calls_from":["\#(address)"]}]}"#
            #expect(try await service.put("/v1/configuration", json: known).status == 200)
            #expect(try await Tool.run("echoscu", call).status == 0)
            #expect(try await Tool.run("echoscu", ["-aet", "OTHER"] + call.dropFirst(2)).status != 0)
            #expect(try await service.end() == 0)
        }
    }
}
