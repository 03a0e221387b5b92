import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A worker on another machine, which shares nothing with the service but the database.
    @Suite struct RemoteWorkerTests {
        @Test func aWorkerNeedsNoSharedFolder() async throws {
            let phantom = try await SharedPhantom.get()
            let elsewhere = try StateFolder()
            try await RESTService.with(["--require-keys", "--quiet-seconds", "2", "--site", phantom.siteFile]) { rest in
                let key = try await rest.key("operator")
                let reader = ["Authorization: Bearer \(try await rest.key("reader"))"]
                let worker = try RunningProgram(
                    Scintivol.program,
                    [
                        "work", "--state", elsewhere.file("state"), "--database-url", rest.database.url, "--site",
                        phantom.siteFile, "--artefacts", "http://127.0.0.1:\(rest.service.addresses.httpPort)",
                    ], name: "worker", in: elsewhere, environment: ["SCINTIVOL_KEY": key])
                let files = try phantom.files("nm", "ct", "pt", "rtstruct")
                #expect(try await rest.service.store(files).status == 0)
                var state = ""
                let isDone = try await eventually(within: .seconds(300)) {
                    let view = try await rest.send("GET", "/v1/cases/1", fields: reader)
                    state = "\(view.members["state"] ?? "") \(view.members["reason"] ?? "")"
                    return view.members["state"] as? String == "delivered"
                }
                #expect(isDone, "the case is \(state): \(worker.errors.suffix(500))")
                let result = try await rest.send("GET", "/v1/results/1/rtdose", fields: reader)
                #expect(result.status == 200 && result.body.count > 100_000)
                let left = try FileManager.default.contentsOfDirectory(atPath: elsewhere.file("state/results"))
                #expect(left.isEmpty, "what was brought is not kept twice")

                // The attempt is over: nobody writes into its folder any more.
                let token = try await rest.text("SELECT '1-' || lease_token FROM job WHERE id = 1")
                let late = try await rest.send(
                    "PUT", "/v1/attempts/\(token)/files/activity.dcm", json: "x",
                    fields: ["Authorization: Bearer \(key)"])
                #expect(late.status == 409 && late.problem == "state-forbids")
                #expect(try await rest.send("GET", "/v1/results/1/rtdose", fields: reader).body == result.body)
                let forbidden = try await rest.send(
                    "PUT", "/v1/attempts/\(token)/files/activity.dcm", json: "x", fields: reader)
                #expect(forbidden.status == 403)
                worker.signal(SIGTERM)
                #expect(try await worker.status(within: .seconds(40)) == 0)
            }
        }
    }
}
