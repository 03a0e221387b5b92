import Foundation
import Imaging

/// The whole path on this machine: a synthetic patient, a real archive, the real service, and the result back in the
/// archive.
public struct Demonstration {
    /// Seconds that each wait may take.
    private static let startLimit = 60.0
    private static let caseLimit = 300.0

    private let folder: String
    private let seed: UInt64
    private let say: (String) -> Void
    private let progress: (Double, String) -> Void

    /// - Parameters:
    ///   - folder: holds everything that the demonstration makes; what an earlier one left is removed.
    ///   - say: takes lines of the account.
    public init(
        folder: String, seed: UInt64, say: @escaping (String) -> Void, progress: @escaping (Double, String) -> Void
    ) {
        self.folder = URL(fileURLWithPath: folder).standardizedFileURL.path
        (self.seed, self.say, self.progress) = (seed, say, progress)
    }

    /// - Throws: ``DemoError`` or ``StudyProblem``.
    public func run() throws {
        try prepareFolder()
        say("1. A synthetic patient (seed \(seed)): planar NM, CT, PT, RTSTRUCT as DICOM, with the truth beside.")
        progress(0.02, "phantom")
        let phantom = try PhantomFiles(PhantomOrder(seed: seed).recipe)
        let study = "\(folder)/phantom"
        try phantom.write(to: study)
        let site = "\(folder)/site.json"
        try DurableFile.write(Array(JSONText.encode(phantom.patient.recipe.site).utf8), to: site)

        say("2. A hospital: Orthanc as the PACS, routing NM, CT, PT and RTSTRUCT to scintivol with its own PostgreSQL.")
        progress(0.3, "start")
        guard let dicomPort = LocalRequest.freePort(), let httpPort = LocalRequest.freePort() else {
            throw DemoError.notStarted("scintivol")
        }
        let archive = try DemoArchive(folder: folder, routingTo: "SCINTIVOL", port: dicomPort)
        defer { archive.process.stop() }
        let service = try Companion(
            "scintivol", Service.program,
            [
                "run", "--state", "\(folder)/state", "--dicom-address", "127.0.0.1", "--dicom-port", "\(dicomPort)",
                "--http-port", "\(httpPort)", "--site", site,
                // A job's stage is stored with its worker's heartbeats, some to a lease: the short one shows them.
                "--lease-seconds", "10",
                "--destination", "\(DemoArchive.title)@127.0.0.1:\(archive.dicomPort)",
            ], log: "\(folder)/scintivol.log")
        defer { service.stop() }
        try wait(Self.startLimit, for: "starting the PACS") { archive.isUp || !archive.process.isRunning }
        guard archive.isUp else { throw DemoError.notStarted("Orthanc") }
        try wait(Self.startLimit, for: "starting scintivol") { isReady(httpPort) || !service.isRunning }
        guard isReady(httpPort) else { throw DemoError.notStarted("scintivol") }

        say("3. The cameras send: storescu to the PACS.")
        progress(0.4, "send")
        let sender = try Companion(
            "storescu", "storescu",
            ["-aec", DemoArchive.title, "+sd", "+r", "127.0.0.1", "\(archive.dicomPort)"]
                + ["nm", "ct", "pt", "rtstruct"].map { "\(study)/\($0)" }, log: "\(folder)/storescu.log")
        guard sender.wait() == 0 else { throw DemoError.sendingFailed }

        say("4. The PACS routes, scintivol assembles the case, reconstructs, and sends the RT Dose back.")
        let view = try followCase(httpPort)
        guard let result = view.results.last else { throw DemoError.notInArchive }

        say("5. The archive's own answer to a search for RTDOSE:")
        guard let doses = archive.findDoses(), doses.contains("RTDOSE") else { throw DemoError.notInArchive }
        say(doses.split(separator: "\n").filter { Self.isShown($0) }.joined(separator: "\n"))
        for uid in archive.doseInstances() { say("    \"SOPInstanceUID\" : \"\(uid)\"") }
        for export in result.exports { say("   \(export.output) -> \(export.destination): \(export.state)") }
        try report(phantom, result)
        progress(1, "done")
    }

    /// Empties a folder that an earlier demonstration made, and no other.
    private func prepareFolder() throws {
        let files = FileManager.default
        let mark = "\(folder)/made-by-scintivol-demo"
        if let names = try? files.contentsOfDirectory(atPath: folder), !names.isEmpty {
            guard files.fileExists(atPath: mark) else { throw DemoError.folderInUse(folder) }
            try files.removeItem(atPath: folder)
        }
        try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try DurableFile.write([], to: mark)
    }

    /// Lines of the archive's answer that tell something to a person.
    private static func isShown(_ line: Substring) -> Bool {
        ["\"Modality\"", "\"SeriesDescription\"", "\"SeriesInstanceUID\"", "\"Manufacturer\"", "\"Status\""].contains {
            line.contains($0)
        }
    }

    private func isReady(_ port: UInt16) -> Bool { LocalRequest(port: port).get("/readyz")?.status == 200 }

    private func followCase(_ port: UInt16) throws -> CaseView {
        let end = Date(timeIntervalSinceNow: Self.caseLimit)
        var (last, lastStage) = ("", "")
        while Date() < end {
            let view = answer(CaseView.self, "/v1/cases/1", port)
            let job = answer(JobPage.self, "/v1/jobs", port)?.jobs.first { $0.state == "running" }
            if let job, job.stage ?? job.state != lastStage {
                lastStage = job.stage ?? job.state
                say("   job \(job.id): \(Self.text(job, lastStage))")
            }
            if let view {
                let text = Self.text(view)
                if text != last { say("   case 1: \(text), \(view.instanceCount) instances") }
                last = text
                progress(Self.share(view, job), job?.stage.map { "\(view.state), \($0)" } ?? view.state)
                if view.state == CaseState.delivered.rawValue { return view }
                if [CaseState.failed, .review].map(\.rawValue).contains(view.state) {
                    throw DemoError.caseEnded(state: view.state, reason: view.reason)
                }
            }
            Thread.sleep(forTimeInterval: 0.3)
        }
        throw DemoError.timeout("the case")
    }

    private func answer<Value: Decodable>(_ type: Value.Type, _ path: String, _ port: UInt16) -> Value? {
        guard let answer = LocalRequest(port: port).get(path), answer.status == 200 else { return nil }
        return JSONText.decode(type, from: String(decoding: answer.body, as: UTF8.self))
    }

    /// The state, and what a case that waits is waiting for.
    private static func text(_ view: CaseView) -> String {
        guard view.state == CaseState.needsInput.rawValue else { return view.state }
        let names = ["ct": "CT", "pt": "PET", "nm": "planar NM image", "contours": "contours"]
        let awaited = view.fields.map { names[$0] ?? $0 }.joined(separator: " and ")
        return "\(view.state) (waiting for \(awaited.isEmpty ? view.reason ?? "more" : awaited))"
    }

    private static func text(_ job: JobView, _ stage: String) -> String {
        let percent = job.progress.map { ", \(Int(($0 * 100).rounded())) %" } ?? ""
        let elapsed = job.startedAt.map { ", \(Int(max(Date().timeIntervalSince1970 - $0, 0))) s" } ?? ""
        return stage + percent + elapsed
    }

    /// How much of the whole demonstration is done.
    private static func share(_ view: CaseView, _ job: JobView?) -> Double {
        let steps: [CaseState] = [.collecting, .ready, .reconstructing, .exporting, .delivered]
        let step = steps.firstIndex { $0.rawValue == view.state } ?? 0
        return 0.5 + 0.1 * (Double(step) + (step == 2 ? job?.progress ?? 0 : 0))
    }

    private func wait(_ seconds: Double, for what: String, until isDone: () -> Bool) throws(DemoError) {
        let end = Date(timeIntervalSinceNow: seconds)
        while !isDone() {
            guard Date() < end else { throw .timeout(what) }
            Thread.sleep(forTimeInterval: 0.2)
        }
    }

    private func report(_ phantom: PhantomFiles, _ result: CaseView.Result) throws {
        let results = "\(folder)/state/results"
        let folders = try FileManager.default.contentsOfDirectory(atPath: results)
        guard let name = folders.first,
            let data = FileManager.default.contents(atPath: "\(results)/\(name)/summary.json"),
            let summary = JSONText.decode(ResultSummary.self, from: String(decoding: data, as: UTF8.self))
        else { throw DemoError.notInArchive }
        say("6. What it found beside what was true:")
        say(OfflineReport.table(summary, truth: phantom.facts))
        let picture = "\(folder)/overview.png"
        try FileManager.default.copyItem(atPath: "\(results)/\(name)/overview.png", toPath: picture)
        say("   The picture: \(picture)")
    }
}
