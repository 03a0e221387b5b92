import DICOM
import DoseService
import Foundation
import TestSupport
import Testing

/// The site's configuration, right and wrong.
@Suite struct SiteConfigurationTests {
    private static let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../deploy/gateway.example.json").standardized.path

    @Test func theExampleIsReadCompletely() throws {
        let site = SiteConfiguration(contentsOf: Self.example)
        #expect(site.problems.isEmpty)
        #expect(site.peers.map(\.name) == ["pacs", "research", "camera"])
        #expect(site.peers[0].outputs == ["plan", "activity"] && site.peers[0].isAsked)
        #expect(site.peers[0].address?.port == 104 && site.peers[2].address == nil)
        #expect(site.peers[1].outputs == ["activity", "uncertainty", "seg", "pt"] && !site.peers[1].mayCall)
        #expect(site.peers.map(\.verification) == [.query, .commitment, .query])
        #expect(site.peers.map(\.retrieval) == [.move, .move, .move])
        #expect(site.rules.count == 2 && site.cameras.count == 1)
        #expect(site.retention == .seconds(90 * 86_400))
        var settings = ServiceSettings(stateFolder: "/tmp/nowhere")
        try settings.apply(site)
        #expect(settings.destinations.map(\.name) == ["pacs", "research"] && settings.quietTime == .seconds(30))
        #expect(settings.diskReserveBytes == 10_240 << 20 && settings.listening.associationLimit == 32)
        #expect(settings.hardDeadline == .seconds(3600) && settings.auditReceiver?.port == 601)
    }

    /// Every mistake of one file, at once.
    static let wrong: [(json: String, problems: [String])] = [
        ("[", [".: not-json"]),
        ("[]", [".: not-an-object"]),
        (#"{"titel":"X"}"#, ["titel: unknown-key"]),
        (
            #"{"title":"A TITLE THAT IS TOO LONG","quiet_seconds":-1}"#,
            ["title: unusable", "quiet_seconds: out-of-range"]
        ),
        (
            #"{"listener":{"port":0,"admission":"all","address":"here","idle_seconds":"60","ports":1}}"#,
            [
                "listener.address: unusable", "listener.port: out-of-range", "listener.admission: unusable",
                "listener.idle_seconds: not-a-number", "listener.ports: unknown-key",
            ]
        ),
        (
            #"{"peers":[{"host":"pacs"},{"title":"A","receives":["activity","film"]},{"title":"A","calls_from":["x"]},7]}"#,
            [
                "peers[0].title: missing", "peers[0].port: missing", "peers[1].receives[1]: unusable",
                "peers[1].host: missing", "peers[2].calls_from[0]: not-an-address", "peers[3]: not-an-object",
                "peers[3].title: missing", "peers.A: name-repeated",
            ]
        ),
        (
            #"{"rules":[{"views":["left"],"pixel_spacing_mm":[1],"colour":1},{"views":1}]}"#,
            [
                "rules[1]: wrong-form", "rules[0].views: unusable", "rules[0].pixel_spacing_mm: unusable",
                "rules[0].colour: unknown-key",
            ]
        ),
        (
            #"{"listener":{"tls":{"certificate_chain":"/nowhere.pem"}},"retention_days":0,"audit":{"tls":{}}}"#,
            [
                "listener.tls.certificate: unusable", "retention_days: out-of-range", "audit.host: missing",
                "audit.tls.authorities: unusable",
            ]
        ),
        (
            #"{"peers":[{"title":"A","verification":"hope","retrieval":"beg"}]}"#,
            ["peers[0].verification: unusable", "peers[0].retrieval: unusable"]
        ),
    ]

    @Test(arguments: wrong.indices) func everyMistakeIsNamed(index: Int) {
        let (json, problems) = Self.wrong[index]
        let site = SiteConfiguration(json: Data(json.utf8))
        #expect(Set(site.problems.map(\.description)) == Set(problems))
        var settings = ServiceSettings(stateFolder: "/tmp/nowhere")
        #expect(throws: ServiceError.configuration(site.problems)) { try settings.apply(site) }
    }

    @Test func camerasAreChecked() throws {
        let camera = SiteDescription.phantom
        func problems(_ old: String, _ new: String) -> [String] {
            let json = #"{"cameras":[\#(camera.replacingOccurrences(of: old, with: new))]}"#
            return SiteConfiguration(json: Data(json.utf8)).problems.map(\.description)
        }
        #expect(problems("177Lu", "177Lu") == [])
        #expect(problems("177Lu", "178Lu") == ["cameras[0].isotope: unusable"])
        #expect(problems("\"208\":9.3", "\"208\":-9.3") == ["cameras[0].calibration_cps_per_mbq_per_head: unusable"])
        #expect(
            problems("\"ct_kvp\":120", "\"ct_kvp\":120,\"valid_until\":\"soon\"") == [
                "cameras[0].valid_until: unusable"
            ])
        #expect(problems("[533,387]", "[533]") == ["cameras[0].field_of_view_mm: unusable"])
        #expect(problems("\"ct_kvp\":120", "\"ct\":120") == ["cameras[0]: wrong-form"])
    }

    @Test func theCommandSaysItAllAndWhetherPeersAnswer() async throws {
        let state = try StateFolder()
        let (there, away) = (try Archive.freePort(), try Archive.freePort())
        let archive = try await Archive(in: state, dicomPort: there)
        let file = state.file("site.json")
        let json = """
            {"peers":[{"name":"pacs","title":"\(Archive.title)","host":"127.0.0.1","port":\(there),"is_asked":true},
                      {"name":"away","title":"AWAY","host":"127.0.0.1","port":\(away)}]}
            """
        try json.write(toFile: file, atomically: true, encoding: .utf8)
        let quiet = try await Scintivol.run("check-config", file)
        #expect(quiet.status == 0 && quiet.output.contains("can be used"))
        let loud = try await Scintivol.run("check-config", file, "--echo")
        #expect(loud.status == 1)
        #expect(loud.output.contains("peer pacs: echo ok, query ok"))
        #expect(loud.output.contains("peer away: echo unreachable"))
        try #"{"titel":1}"#.write(toFile: file, atomically: true, encoding: .utf8)
        let broken = try await Scintivol.run("check-config", file, "--json")
        #expect(broken.status == 1 && broken.output.contains(#""code":"unknown-key""#))
        try await archive.end()
    }
}
