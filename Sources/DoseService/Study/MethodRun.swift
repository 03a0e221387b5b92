import Foundation
import Learning
import Reconstruction

/// The ways from two views to a map that can be asked for.
public enum ReconstructionMethod: String, Codable, CaseIterable, Sendable {
    case stage0, unet, diffusion

    var network: ModelFile.Kind? {
        switch self {
        case .stage0: nil
        case .unet: .unet
        case .diffusion: .diffusion
        }
    }
}

/// From a prepared scan to an estimate by the method that is asked for.
///
/// What a network makes leaves only when it passes every check that Stage 0's result passes, and its own. Otherwise Stage 0's
/// result goes out for review, with the checks that the network failed.
struct MethodRun {
    struct Result {
        let estimate: ActivityEstimate
        /// By which the estimate was made.
        let method: ReconstructionMethod
        /// Hash of the model file; `none` without a network.
        let modelHash: String
        let checks: [QualityCheck]
        var findings: [String]
    }

    let method: ReconstructionMethod
    /// Holds the method's network.
    let model: ModelFile?
    let seed: UInt64
    /// The checks of any estimate of this scan.
    let checks: (ActivityEstimate) -> [QualityCheck]

    /// - Throws: ``StudyProblem``.
    func perform(_ stage: StageZero, _ scan: PreparedScan) throws(StudyProblem) -> Result {
        guard let kind = method.network else {
            let estimate: ActivityEstimate
            do { estimate = try stage.reconstruct(scan) } catch { throw StudyProblem(error) }
            return Result(
                estimate: estimate, method: .stage0, modelHash: "none", checks: checks(estimate), findings: [])
        }
        guard let model, let record = model[kind]?.record else {
            throw .needsInput(code: "model-part-missing", fields: [kind.rawValue])
        }
        do { try Device.configure(threadCount: ProcessInfo.processInfo.activeProcessorCount) } catch {
            throw .failed(code: "model-failed")
        }
        let network = try model.model(kind)
        let study: NetworkStudy
        do { study = try NetworkStudy(stage, scan) } catch { throw StudyProblem(error) }
        let before = checks(study.initial)
        func fallBack(_ failed: [QualityCheck], _ finding: String) -> Result {
            Result(
                estimate: study.initial, method: .stage0, modelHash: model.hash, checks: before + failed,
                findings: [finding])
        }
        let refined: NetworkStudy.Refinement
        do { refined = try study.estimate(network, seed: seed) } catch {
            return fallBack([QualityCheck("network-failed", value: 1, warnAbove: 0, failAbove: 0)], "network-failed")
        }
        let own =
            NetworkCheck.checks(of: refined, startedFrom: study.initial)
            + NetworkCheck.checks(
                of: record, spacing: stage.anatomy.grid.spacing.x, isotope: stage.site.isotope)
        let after = checks(refined.estimate)
        let failed = NetworkCheck.failed(after, where: before) + own.filter { $0.outcome == .fail }
        guard failed.isEmpty else { return fallBack(failed, "network-rejected") }
        return Result(
            estimate: refined.estimate, method: method, modelHash: model.hash, checks: after + own,
            findings: record.findings)
    }
}

/// The checks of a network's estimate beside Stage 0's.
package enum NetworkCheck {
    /// Organs that the counts say much of: there network and Stage 0 cannot be far apart.
    private static let knownShare = 0.5

    static func checks(
        of refined: NetworkStudy.Refinement, startedFrom initial: ActivityEstimate
    ) -> [QualityCheck] {
        let known = initial.organs.filter { $0.kind == .organ && $0.dataShare >= knownShare && $0.activity > 0 }
        let change = known.compactMap { refined.organChangePercent[$0.name].map(abs) }.max() ?? 0
        let spread = known.compactMap { refined.organSpreadPercent[$0.name] }.max() ?? 0
        return [
            QualityCheck("network-organ-change-percent", value: change, warnAbove: 25, failAbove: 50),
            QualityCheck("network-spread-percent", value: spread, warnAbove: 25, failAbove: 50),
        ]
    }

    /// Whether it was trained for such a scan: on voxels of about this size, in millimetres, and for this radionuclide.
    package static func checks(of record: TrainingRecord, spacing: Double, isotope: String) -> [QualityCheck] {
        [
            QualityCheck(
                "network-spacing-mismatch", value: abs(spacing / record.spacingMillimetres - 1), warnAbove: 0.1,
                failAbove: 0.3),
            QualityCheck(
                "network-radionuclide-mismatch", value: record.isotope ?? isotope == isotope ? 0 : 1, warnAbove: 0,
                failAbove: 0),
        ]
    }

    /// The checks that the network fails and Stage 0 does not, as checks of the network.
    static func failed(_ after: [QualityCheck], where before: [QualityCheck]) -> [QualityCheck] {
        let failing = Set(before.filter { $0.outcome == .fail }.map(\.name))
        return after.filter { $0.outcome == .fail && !failing.contains($0.name) }.map {
            QualityCheck("network-\($0.name)", value: $0.value, warnAbove: $0.warnLimit, failAbove: $0.failLimit)
        }
    }
}
