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

    /// - Throws: ``ReconstructionError``.
    package init(_ stage: StageZero, _ prepared: PreparedScan) throws(ReconstructionError) {
        anatomy = stage.anatomy
        initial = try stage.reconstruct(prepared)
        scan = try PlanarScan(prepared, initial)
        guard let attenuation = prepared.attenuation[scan.projector.heads[0].energy] else { throw .tomography }
        patient = try PatientChannels(
            regions: anatomy.regions, pet: anatomy.pet, attenuation: attenuation, on: .best)
    }

    /// - Throws: ``ReconstructionError``; ``ReconstructionError/notFinite`` for a map that is none.
    public func estimate(_ model: any TrainableModel, seed: UInt64) throws(ReconstructionError) -> ActivityEstimate {
        let map = try model.estimate(scan, patient, seed: seed)
        guard map.mean.voxels.allSatisfy({ $0.isFinite && $0 >= 0 }) else { throw .notFinite }
        return initial.refined(map, scan: scan, regions: anatomy.regions)
    }
}
