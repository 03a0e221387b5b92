public import Imaging
public import Learning

/// What a network makes of a scan.
///
/// - Units: those of the scan's initial map.
public struct NetworkMap: Sendable {
    public let mean: Volume<Float>
    /// Standard deviation of each voxel over the samples; nil for a method that gives one map only.
    public let deviation: Volume<Float>?
    /// The samples themselves.
    ///
    /// - Shape: `[z, y, x]` each
    public let samples: [[Float]]

    init(_ map: Volume<Float>) { (mean, deviation, samples) = (map, nil, []) }

    init(samples: [[Float]], on body: Volume<Float>) {
        let spread = Spread(of: samples)
        self.init(body.replacing(spread.mean), samples, spread)
    }

    /// - Parameter mean: of the samples, known better than from themselves.
    init(mean: Volume<Float>, samples: [[Float]]) { self.init(mean, samples, Spread(of: samples)) }

    private init(_ mean: Volume<Float>, _ samples: [[Float]], _ spread: Spread) {
        (self.mean, self.samples) = (mean, samples)
        deviation = samples.count > 1 ? mean.replacing(spread.deviation) : nil
    }
}

/// A network with its method: what the training loop and the comparison of methods need of it.
public protocol TrainableModel: AnyObject {
    /// What is trained.
    var module: any Module { get }

    /// Whether organs keep the sums that Stage 0 found: not so for methods that know nothing of Stage 0.
    var keepsOrganSums: Bool { get }

    /// The loss of one case, a scalar with its gradient.
    ///
    /// - Throws: ``ReconstructionError``.
    func loss(
        _ training: TrainingCase, _ patient: PatientChannels, using generator: inout StepGenerator
    ) throws(ReconstructionError) -> Tensor

    /// The map of a scan; the same seed gives the same map.
    ///
    /// - Throws: ``ReconstructionError``.
    func estimate(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> NetworkMap

    /// How far the model is from the truth of a held-back case, and how far what it starts from is: what validations compare.
    /// The same seed gives the same numbers.
    ///
    /// - Throws: ``ReconstructionError``.
    func validationError(
        _ training: TrainingCase, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> (found: Double, initial: Double)
}

extension TrainableModel {
    public var keepsOrganSums: Bool { true }

    /// The mean map alone.
    ///
    /// - Throws: ``ReconstructionError``.
    public func reconstruct(
        _ scan: PlanarScan, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> Volume<Float> {
        try estimate(scan, patient, seed: seed).mean
    }

    /// `mean |x - t| / mean t` over the body, of the map and of Stage 0's.
    public func validationError(
        _ training: TrainingCase, _ patient: PatientChannels, seed: UInt64
    ) throws(ReconstructionError) -> (found: Double, initial: Double) {
        try relativeErrors(reconstruct(training.scan, patient, seed: seed), training, patient)
    }

    func relativeErrors(
        _ map: Volume<Float>, _ training: TrainingCase, _ patient: PatientChannels
    ) -> (found: Double, initial: Double) {
        let truth = training.truth.activity.voxels
        return (
            relativeError(map.voxels, truth, over: patient.body.voxels),
            relativeError(training.scan.initial.voxels, truth, over: patient.body.voxels)
        )
    }
}
