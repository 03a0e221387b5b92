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
        #expect(site.peers[1].outputs == ["activity", "uncertainty", "seg", "pt"] && site.peers[1].mayCall)
        #expect(site.peers.map(\.verification) == [.query, .commitment, .query])
        #expect(site.peers.map(\.retrieval) == [.move, .move, .move])
        #expect(site.rules.count == 2 && site.cameras.count == 1)
        #expect(site.retention == .seconds(90 * 86_400))
        var settings = ServiceSettings(stateFolder: "/tmp/nowhere")
        try settings.apply(site)
        #expect(settings.destinations.map(\.name) == ["pacs", "research"] && settings.quietTime == .seconds(30))
        #expect(settings.diskReserveBytes == 10_240 << 20 && settings.listening.associationLimit == 32)
        #expect(settings.networks.method == .unet && settings.networks.waits && settings.networks.keepDays == 180)
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
                "peers[1].host: missing", "peers[1].port: missing", "peers[2].calls_from[0]: not-an-address",
                "peers[3]: not-an-object",
                "peers.A: name-repeated",
            ]
        ),
        (
            #"{"networks":{"method":"magic","steps":1,"personalise":"yes","population_model":"/nowhere","size":1}}"#,
            [
                "networks.method: unusable", "networks.personalise: not-a-truth-value", "networks.steps: out-of-range",
                "networks.population_model: model-missing", "networks.size: unknown-key",
            ]
        ),
        (
            #"{"rules":[{"views":["left"],"pixel_spacing_mm":[1],"colour":1},{"views":1,"energy_windows_kev":[7,[1,"2"]]}]}"#,
            [
                "rules[0].views[0]: unusable", "rules[0].pixel_spacing_mm: unusable", "rules[0].colour: unknown-key",
                "rules[1].views: not-a-list", "rules[1].energy_windows_kev[0]: not-a-list",
                "rules[1].energy_windows_kev[1][1]: not-a-number",
            ]
        ),
        // What one mistake hides in a second round is no help: the rest of the same object is read, too.
        (
            #"{"peers":[{"name":"a","title":"TOO LONG TO BE ONE"},{"name":"a","title":"A","host":"h","port":0}]}"#,
            ["peers[0].title: unusable", "peers[1].port: out-of-range", "peers.a: name-repeated"]
        ),
        (
            #"{"cameras":[{"isotope":"178Lu","collimator":{"septa_mm":"1"},"field_of_view_mm":[1],"valid_until":"2026-02-30"}]}"#,
            [
                "station", "energy_resolution_140kev_percent", "couch_water_equivalent_mm", "couch_thickness_mm",
                "ct_kvp",
            ]
            .map { "cameras[0].\($0): missing" }
                + ["hole_diameter_mm", "hole_length_mm", "intrinsic_fwhm_140kev_mm"]
                .map { "cameras[0].collimator.\($0): missing" }
                + [
                    "cameras[0].isotope: unusable", "cameras[0].collimator.septa_mm: not-a-number",
                    "cameras[0].field_of_view_mm: unusable", "cameras[0].valid_until: unusable",
                ]
        ),
        (
            #"{"listener":{"tls":{"certificate_chain":"/nowhere.pem"}},"retention_days":0,"audit":{"tls":{}}}"#,
            [
                "listener.tls.certificate_chain: unusable", "retention_days: out-of-range", "audit.host: missing",
                "audit.tls.authorities: missing",
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
        #expect(Set(site.problems.map { "\($0.path): \($0.code)" }) == Set(problems))
        var settings = ServiceSettings(stateFolder: "/tmp/nowhere")
        #expect(throws: ServiceError.configuration(site.problems)) { try settings.apply(site) }
    }

    /// What is said of a camera's description with one change, by `--config` and by `--site` alike.
    @Test(arguments: [
        ("177Lu", "177Lu", []),
        ("177Lu", "178Lu", ["isotope: unusable: '178Lu', must be one of 177Lu"]),
        ("\"208\":9.3", "\"208\":-3", ["calibration_cps_per_mbq_per_head: unusable: -3, must be above 0"]),
        (
            "\"ct_kvp\":120", "\"ct_kvp\":120,\"valid_until\":\"soon\"",
            ["valid_until: unusable: 'soon', must be a date"]
        ),
        ("[533,387]", "[533]", ["field_of_view_mm: unusable: 1 numbers, must be 2"]),
        ("\"ct_kvp\":120", "\"ct_kv\":120", ["ct_kvp: missing", "ct_kv: unknown-key: did you mean 'ct_kvp'?"]),
        ("\"ct_kvp\":120", "\"ct_kvp\":120,\"colour\":1", ["colour: unknown-key"]),
        (
            "\"septa_mm\"", "\"septum_mm\"",
            ["collimator.septa_mm: missing", "collimator.septum_mm: unknown-key: did you"]
        ),
        ("\"ct_kvp\":120", "\"ct_kvp\":\"high\"", ["ct_kvp: not-a-number"]),
    ])
    func camerasAreChecked(old: String, new: String, problems: [String]) throws {
        let camera = SiteDescription.phantom.replacing(old, with: new)
        #expect(camera != SiteDescription.phantom || old == new)
        let alone = CameraFile(json: Data(camera.utf8)).problems.map(\.description)
        #expect(alone.count == problems.count && zip(alone, problems).allSatisfy { $0.hasPrefix($1) }, "\(alone)")
        let inside = SiteConfiguration(json: Data(#"{"cameras":[\#(camera)]}"#.utf8)).problems.map(\.description)
        #expect(inside == alone.map { "cameras[0].\($0)" })
    }

    /// What does not do is told beside what would.
    @Test(arguments: [
        (#"{"listener":{"admission":"all"}}"#, "'all', must be 'peers' or 'open'"),
        (#"{"networks":{"method":"magic"}}"#, "'magic', must be one of stage0, unet, diffusion"),
        (#"{"conflicting_instances":"drop"}"#, "'drop', must be 'refuse' or 'keep-first'"),
        (#"{"dose":"never"}"#, "'never', must be one of off, approval, automatic"),
        (#"{"peers":[{"title":"A","verification":"hope"}]}"#, "'hope', must be one of query, commitment, none"),
        (#"{"peers":[{"title":"A","retrieval":"beg"}]}"#, "'beg', must be 'move' or 'get'"),
        (#"{"title":"A TITLE THAT IS TOO LONG"}"#, "'A TITLE THAT IS TOO LONG', must be 1 to 16 letters"),
        (#"{"rules":[{"station":"S","radionuclide":"177Yb"}]}"#, "'177Yb', must be '177Lu'"),
        (#"{"rules":[{"station":"S","count_tolerance":1}]}"#, "must be from 0 to 0.1"),
    ])
    func whatWouldDoIsNamed(json: String, detail: String) throws {
        let problems = SiteConfiguration(json: Data(json.utf8)).problems
        #expect(problems.count == 1 && problems[0].detail?.hasPrefix(detail) == true, "\(problems)")
    }

    /// What can be used and is probably not meant so does not stop a start, and is said.
    @Test func whatIsProbablyNotMeantIsAWarning() async throws {
        let camera = SiteDescription.phantom.replacing(
            "\"ct_kvp\":120", with: "\"ct_kvp\":120,\"valid_until\":\"2020-01-31\"")
        let site = SiteConfiguration(json: Data(#"{"rules":[{"views":["anterior"]}],"cameras":[\#(camera)]}"#.utf8))
        #expect(site.problems.isEmpty)
        #expect(
            site.warnings.map { "\($0.path): \($0.code)" } == [
                "rules[0]: every-device", "cameras[0].valid_until: expired",
            ])
        let odd = SiteDescription.phantom.replacing("\"208\":9.3", with: "\"208\":9300,\"140\":9")
            .replacing("\"ct_kvp\":120", with: "\"ct_kvp\":120,\"measured_on\":\"2999-01-01\"")
        let file140 = CameraFile(json: Data(odd.utf8))
        #expect(file140.problems.isEmpty)
        #expect(
            file140.warnings.map { "\($0.path): \($0.code)" } == [
                "calibration_cps_per_mbq_per_head.140: no-line", "calibration_cps_per_mbq_per_head.208: unusual",
                "measured_on: in-the-future",
            ])
        let twice = SiteConfiguration(
            json: Data(
                #"{"peers":[{"name":"a","title":"A","host":"h","port":104},{"name":"b","title":"A","host":"h","port":104}]}"#
                    .utf8))
        #expect(twice.problems.isEmpty && twice.warnings.map(\.code) == ["address-repeated"])
        let silent = SiteConfiguration(
            json: Data(#"{"rules":[{"station":"CAM"},{"station":"B","views":["anterior"]}]}"#.utf8))
        #expect(
            silent.problems.isEmpty && silent.warnings.map { "\($0.path): \($0.code)" } == ["rules[0]: says-nothing"])
        let state = try StateFolder()
        let file = state.file("camera.json")
        try camera.write(toFile: file, atomically: true, encoding: .utf8)
        let run = try await Scintivol.run("check-config", file)
        #expect(run.status == 0 && run.output.contains("warning: valid_until: expired: past since 2020-01-31"))
    }

    /// A commitment and the objects of a C-MOVE come on associations that the archive opens.
    @Test func anArchiveThatMayNotCallCannotAnswerSo() {
        func warnings(_ members: String, _ admission: String = "peers", host: String = "192.0.2.7") -> [String] {
            let json = """
                {"listener":{"admission":"\(admission)"},
                 "peers":[{"title":"A","host":"\(host)","port":104,"receives":["activity"],"is_asked":true,\(members)}]}
                """
            let site = SiteConfiguration(json: Data(json.utf8))
            #expect(site.problems.isEmpty, "\(site.problems)")
            return site.warnings.map { "\($0.path): \($0.code)" }
        }
        let both = #""may_call":false,"verification":"commitment","retrieval":"move""#
        #expect(warnings(both) == ["peers[0].verification: may-not-call", "peers[0].retrieval: may-not-call"])
        #expect(warnings(both, "open") == [])
        #expect(warnings(#""may_call":false,"verification":"query","retrieval":"get""#) == [])
        #expect(warnings(both, host: "127.0.0.1") == [])
        #expect(warnings(#""verification":"commitment","retrieval":"move""#) == [])
    }

    @Test(arguments: [
        (#"{"title":"A","title":"B"}"#, ["title"]),
        (#"{"peers":[{"title":"A"},{"title":"B","may_call":true,"t\u0069tle":"C"}]}"#, ["peers[1].title"]),
        (#"{"title":"\"title\":","peers":[{"title":"title"},{"title":"title"}]}"#, []),
        (
            #"{"listener":{"port":104,"tls":{"authorities":"a"},"port":105},"listener":{}}"#,
            ["listener.port", "listener"]
        ),
    ])
    func aKeyThatStandsTwiceIsAMistake(json: String, places: [String]) {
        let problems = SiteConfiguration(json: Data(json.utf8)).problems
        #expect(problems.filter { $0.code == "key-repeated" }.map(\.path) == places)
    }

    @Test func aCamerasKeyThatStandsTwiceIsAMistake() {
        let camera = SiteDescription.phantom.replacing("\"208\":9.3", with: "\"208\":9.3,\"208\":9.4")
        let problems = CameraFile(json: Data(camera.utf8)).problems
        #expect(problems.map { "\($0.path): \($0.code)" } == ["calibration_cps_per_mbq_per_head.208: key-repeated"])
    }

    /// The command takes both kinds of file, says which it took one for, and names the file in every line.
    @Test func eitherKindOfFileIsChecked() async throws {
        let state = try StateFolder()
        let file = state.file("some.json")
        func check(_ text: String) async throws -> (status: Int32, lines: [String]) {
            try text.write(toFile: file, atomically: true, encoding: .utf8)
            let run = try await Scintivol.run("check-config", file)
            let lines = run.output.split(separator: "\n").map(String.init)
            #expect(lines.allSatisfy { $0.hasPrefix("\(file):") })
            return (run.status, lines.map { String($0.dropFirst(file.count + 1)) })
        }
        let camera = try await check(SiteDescription.phantom)
        #expect(camera.status == 0 && camera.lines.count == 2 && camera.lines[0].contains("camera"))
        let misspelt = try await check(SiteDescription.phantom.replacing("\"isotope\"", with: "\"isotop\""))
        #expect(misspelt.status == 1 && misspelt.lines.count == 3)
        #expect(misspelt.lines[2] == " isotop: unknown-key: did you mean 'isotope'?")
        let configuration = try await check(#"{"titel":"X"}"#)
        #expect(configuration.status == 1 && configuration.lines[0].contains("configuration"))
        #expect(configuration.lines[1] == " titel: unknown-key: did you mean 'title'?")
        let broken = try await check("{\n\"title\": \"X\",\n\"quiet_seconds\" 5}")
        #expect(broken.status == 1 && broken.lines[1] == "3: not-json: no valid JSON from here on")
        let cut = try await check("{\n\"title\":\n")
        #expect(cut.status == 1 && cut.lines[1] == "3: not-json: the text ends too early")
        let port = try await check(#"{"listener":{"port":70000}}"#)
        #expect(port.lines[1] == " listener.port: out-of-range: 70000, must be from 1 to 65535")
    }

    /// A file given to the wrong option says so, in one line.
    @Test func aFileOfTheOtherKindIsNamed() {
        let camera = SiteConfiguration(json: Data(SiteDescription.phantom.utf8)).problems
        #expect(camera.map(\.code) == ["not-a-configuration"])
        let configuration = CameraFile(json: Data(#"{"title":"X","peers":[]}"#.utf8)).problems
        #expect(configuration.map(\.code) == ["not-a-camera"])
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
