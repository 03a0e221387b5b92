import Anatomy
import Learning
import Tomography

/// A measured scan of a patient, solved by Stage 0 and ready for networks.
public struct NetworkStudy {
    /// Stage 0's estimate: what is compared with and fallen back to.
    public let initial: ActivityEstimate
    public let scan: PlanarScan
    public let patient: PatientChannels
    private let anatomy: PatientAnatomy

    /// - Parameter known: what the stage has already made of the scan.
    /// - Throws: ``ReconstructionError``.
    package init(
        _ stage: StageZero, _ prepared: PreparedScan, known: ActivityEstimate? = nil
    ) throws(ReconstructionError) {
        anatomy = stage.anatomy
        if let known { initial = known } else { initial = try stage.reconstruct(prepared) }
        scan = try PlanarScan(prepared, initial)
        guard let attenuation = prepared.attenuation[scan.projector.heads[0].energy] else { throw .tomography }
        patient = try PatientChannels(
            regions: anatomy.regions, pet: anatomy.pet, attenuation: attenuation, on: .best)
    }

    /// What a network makes of the scan, and what became of the organs before their sums were set right.
    public struct Refinement {
        /// The network's map; with Stage 0's organ sums unless the model brings its own.
        public let estimate: ActivityEstimate
        /// By how much the network's own sum differs from Stage 0's, in percent, by name.
        public let organChangePercent: [String: Double]
        /// Standard deviation of the samples' sums, in percent, by name; empty for a single map.
        public let organSpreadPercent: [String: Double]
    }

    /// - Throws: ``ReconstructionError``; ``ReconstructionError/notFinite`` for a map that is none.
    public func estimate(_ model: any TrainableModel, seed: UInt64) throws(ReconstructionError) -> Refinement {
        let found = try model.estimate(scan, patient, seed: seed)
        guard found.mean.voxels.allSatisfy({ $0.isFinite && $0 >= 0 }) else { throw .notFinite }
        let balance = OrganBalance(initial, regions: anatomy.regions)
        let kept =
            !model.keepsOrganSums
            ? found
            : NetworkMap(
                mean: found.mean.replacing(balance.balanced(found.mean.voxels)),
                samples: found.samples.map(balance.balanced))
        return Refinement(
            estimate: initial.with(map: kept.mean, deviation: kept.deviation, scan: scan),
            organChangePercent: balance.changePercent(found.mean.voxels),
            organSpreadPercent: balance.spreadPercent(found.samples))
    }
}
