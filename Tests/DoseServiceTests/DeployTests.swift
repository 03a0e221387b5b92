import Foundation
import TestSupport
import Testing

/// What cannot be run here is at least read.
@Suite struct DeployTests {
    private static let repository = URL(fileURLWithPath: #filePath).appendingPathComponent("../../..").standardized.path

    private static func file(_ path: String) throws -> String {
        try String(contentsOfFile: "\(repository)/\(path)", encoding: .utf8)
    }

    /// Runs Python over YAML files; it prints what is wrong.
    private static func complaints(_ script: String, _ paths: String...) async throws -> String {
        let program = """
            import sys, yaml
            def wrong(text): print(text)
            documents = [d for path in sys.argv[1:] for d in yaml.safe_load_all(open(path)) if d]
            \(script)
            """
        let run = try await Tool.run("python3", ["-c", program] + paths.map { "\(repository)/\($0)" })
        return run.status == 0 ? run.output : run.output + run.errors
    }

    @Test func kubernetesManifestsFitTogetherAndAreConfined() async throws {
        let script = """
            kinds = {}
            for d in documents:
                kinds.setdefault(d["kind"], []).append(d)
                if not d.get("apiVersion") or not d["metadata"].get("name"): wrong(d)
            if sorted(kinds) != ["Deployment", "NetworkPolicy", "PersistentVolumeClaim", "PodDisruptionBudget",
                                 "ScaledObject", "Service"]: wrong(sorted(kinds))
            claims = {c["metadata"]["name"] for c in kinds["PersistentVolumeClaim"]}
            pods = []
            for d in kinds["Deployment"]:
                template, name = d["spec"]["template"], d["metadata"]["name"]
                labels, spec = template["metadata"]["labels"], template["spec"]
                pods.append(labels)
                if d["spec"]["selector"]["matchLabels"].items() - labels.items(): wrong(name + ": selector")
                if not spec["securityContext"]["runAsNonRoot"]: wrong(name + ": root")
                if spec["automountServiceAccountToken"]: wrong(name + ": token")
                volumes = {v["name"] for v in spec["volumes"]}
                for v in spec["volumes"]:
                    if "persistentVolumeClaim" in v and v["persistentVolumeClaim"]["claimName"] not in claims: wrong(v)
                for c in spec.get("initContainers", []) + spec["containers"]:
                    s = c["securityContext"]
                    if not s["readOnlyRootFilesystem"] or s["allowPrivilegeEscalation"]: wrong(c["name"])
                    if s["capabilities"]["drop"] != ["ALL"]: wrong(c["name"] + ": capabilities")
                    if not c["resources"]["limits"]["memory"] or not c["resources"]["requests"]: wrong(c["name"])
                    for m in c.get("volumeMounts", []):
                        if m["name"] not in volumes: wrong(m)
                if "serve" in name:
                    c = spec["containers"][0]
                    if c["livenessProbe"]["httpGet"]["path"] != "/livez": wrong("liveness asks the database")
                    if c["readinessProbe"]["httpGet"]["path"] != "/readyz": wrong("readiness")
                    if c["startupProbe"]["httpGet"]["path"] != "/livez": wrong("startup")
                    ports = {p["name"] for p in c["ports"]}
                    for p in kinds["Service"][0]["spec"]["ports"]:
                        if p["targetPort"] not in ports: wrong(p)
            for d in kinds["PodDisruptionBudget"]:
                if not any(d["spec"]["selector"]["matchLabels"].items() <= l.items() for l in pods): wrong("budget")
            if not any(kinds["Service"][0]["spec"]["selector"].items() <= l.items() for l in pods): wrong("service")
            names = {d["metadata"]["name"] for d in kinds["Deployment"]}
            for d in kinds["ScaledObject"]:
                if d["spec"]["scaleTargetRef"]["name"] not in names: wrong("scaler")
            """
        let complaints = try await Self.complaints(
            script, "deploy/kubernetes/serve.yaml", "deploy/kubernetes/work.yaml", "deploy/kubernetes/state.yaml")
        #expect(complaints == "")
    }

    /// The scaler's query is SQL that our schema answers with one number.
    @Test func theScalersQueryIsOneNumber() async throws {
        let text = try Self.file("deploy/kubernetes/work.yaml")
        let query = try #require(text.firstMatch(of: #/query: "([^"]+)"/#)?.output.1)
        let database = try await onThread { try PrivatePostgres.makeDatabase() }
        let run = try await Tool.run("psql", ["-At", "-c", String(query), database.url])
        #expect(run.status == 0 && run.output == "0\n")
    }

    @Test func composeAndRulesAreWhole() async throws {
        let compose = """
            d = documents[0]
            s = d["services"]["scintivol"]
            if not s["read_only"] or s["cap_drop"] != ["ALL"] or "healthcheck" not in s: wrong(s)
            for name, service in d["services"].items():
                for v in service.get("volumes", []):
                    if v.split(":")[0] not in d["volumes"]: wrong(v)
                for secret in service.get("secrets", []):
                    if secret not in d["secrets"]: wrong(secret)
                for other in service.get("depends_on", {}):
                    if other not in d["services"]: wrong(other)
            """
        #expect(try await Self.complaints(compose, "deploy/compose.yaml") == "")
        let rules = """
            for r in documents[0]["groups"][0]["rules"]:
                if not r["expr"] or r["labels"]["severity"] not in ("page", "ticket"): wrong(r)
                if not r["annotations"]["summary"] or not r["annotations"]["action"]: wrong(r)
                if r["expr"].count("(") != r["expr"].count(")") or r["expr"].count("{") != r["expr"].count("}"): wrong(r)
            """
        #expect(try await Self.complaints(rules, "deploy/prometheus/rules.yaml") == "")
    }

    @Test func theDashboardIsWhole() throws {
        let data = Data(try Self.file("deploy/grafana/dashboard.json").utf8)
        let board = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let panels = try #require(board["panels"] as? [[String: Any]])
        #expect(Set(panels.compactMap { $0["id"] as? Int }).count == panels.count)
        for panel in panels {
            let targets = try #require(panel["targets"] as? [[String: Any]])
            #expect(!targets.isEmpty && targets.allSatisfy { ($0["expr"] as? String)?.contains("scintivol_") == true })
        }
    }

    private static let canVerifyUnits = FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze")

    @Test(.enabled(if: canVerifyUnits), arguments: ["scintivol.service", "scintivol-work.service"])
    func systemdUnderstandsTheUnit(name: String) async throws {
        // The programs that it starts are not installed here, and only that may be complained about.
        let run = try await Tool.run("systemd-analyze", ["verify", "--man=no", "\(Self.repository)/deploy/\(name)"])
        let complaints = run.errors.split(separator: "\n").filter { line in
            line.contains(name) && !line.contains("is not executable")
        }
        #expect(complaints.isEmpty, "\(run.errors)")
        let unit = try Self.file("deploy/\(name)")
        for line in ["NoNewPrivileges=yes", "ProtectSystem=strict", "Type=notify", "CapabilityBoundingSet=\n"] {
            #expect(unit.contains(line))
        }
    }

    @Test func theImageRunsAsNobodyOfImportance() throws {
        let text = try Self.file("Dockerfile")
        let stages = text.components(separatedBy: "\nFROM ")
        #expect(stages.count == 3)
        let last = try #require(stages.last)
        let user = try #require(last.range(of: "\nUSER 10001"))
        let entry = try #require(last.range(of: "\nENTRYPOINT"))
        #expect(user.lowerBound < entry.lowerBound && last.contains("\nHEALTHCHECK"))
        // Nothing of the build comes along but what was put aside.
        #expect(!last.contains("COPY . ") && !last.contains("swift:"))
    }
}
