public import Imaging
public import Learning

/// A network with its method: what the training loop and the comparison of methods need of it.
public protocol TrainableModel: AnyObject {
    /// What is trained.
    var module: any Module { get }

    /// The loss of one case, a scalar with its gradient.
    ///
    /// - Throws: ``ReconstructionError``.
    func loss(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> Tensor

    /// The map of a scan; the same seed gives the same map.
    ///
    /// - Units: those of the scan's initial map.
    /// - Throws: ``ReconstructionError``.
    func reconstruct(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> Volume<Float>

    /// A map that costs a few evaluations only: what validations compare. The map itself where that is cheap.
    ///
    /// - Throws: ``ReconstructionError``.
    func quickReconstruction(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> Volume<Float>
}

extension TrainableModel {
    public func quickReconstruction(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> Volume<Float> {
        try reconstruct(scan, patient, seed: seed)
    }
}
