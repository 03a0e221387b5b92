import Imaging
import Learning

/// Some slices of a case, with what a loss compares a found map with there.
///
/// - Units: means of Stage 0's map over the body.
struct TrainingPiece {
    let training: TrainingCase
    let patient: PatientChannels
    let slices: Range<Int>
    let unit: Float
    /// The whole true map, and the piece's part of truth, body and Stage 0's map.
    ///
    /// - Shape: `[1, 1, z, y, x]`
    let whole, truth, body, initial: Tensor

    init(
        _ training: TrainingCase, _ patient: PatientChannels, slices: Range<Int>
    ) throws(LearningError) {
        (self.training, self.patient, self.slices) = (training, patient, slices)
        unit = training.scan.unit(patient)
        let device = patient.tensor.device
        whole = try Tensor(training.truth.activity, device: device) * (1 / unit)
        truth = try whole.slice(2, slices)
        body = try patient.bodyTensor.slice(2, slices)
        initial = try (Tensor(training.scan.initial, device: device) * (1 / unit)).slice(2, slices)
    }

    /// What Stage 1 and its rival learn by: the map and its root, similarity, sums over organs, and the deviance of the reprojection
    /// where that counts.
    func loss(of found: Tensor, _ weights: StageOne.Settings.Weights) throws(LearningError) -> Tensor {
        var loss = try TrainingLoss.meanL1(found, truth, mask: body) * Float(weights.linear)
        loss = try loss + TrainingLoss.rootL1(found, truth, mask: body) * Float(weights.root)
        loss = try loss + (1 - similarity(of: found)) * Float(weights.similarity)
        if let sums = try organSums(of: found) { loss = try loss + sums * Float(weights.organs) }
        return weights.deviance > 0 ? try loss + deviance(of: found) * Float(weights.deviance) : loss
    }

    /// Structural similarity of a found map to the truth over the body, with the truth's maximum as the range.
    func similarity(of found: Tensor) throws(LearningError) -> Tensor {
        let similarity = try StructuralSimilarity(extents: Array(truth.shape.suffix(3)), on: found.device)
        let peak = max((training.truth.activity.voxels.max() ?? unit) / unit, 1)
        return try similarity(found, truth, mask: body, dataRange: peak)
    }

    /// Poisson deviance of the reprojection, in its logarithm: far from the data it is a hundred times what it can become.
    ///
    /// Beyond the piece the truth stands in: the counts are of the whole patient.
    func deviance(of found: Tensor) throws(LearningError) -> Tensor {
        let scan = training.scan
        let map = try (whole + SliceWindows.extended(found - truth, slices, patient.grid.slices)) * unit
        let projected = try LinearMap(scan.projector)(map.reshaped([1] + map.shape.suffix(3)))
        let scatter = try Tensor(scan.scatter, shape: projected.shape, device: map.device)
        let counts = try Tensor(scan.counts, shape: projected.shape, device: map.device)
        return try (TrainingLoss.poissonDeviance(expected: projected + scatter, counts: counts) + 1).log()
    }

    /// Sums of a region below this, in voxels of the body's mean, are nothing.
    private static let sumFloor: Float = 1

    /// How far the sums over organs, lesions and foci are from the true ones; nil where there are none.
    func organSums(of found: Tensor) throws(LearningError) -> Tensor? {
        guard let organs = try organMasks() else { return nil }
        return try TrainingLoss.regionSums(found, truth, regions: organs, floor: Self.sumFloor)
    }

    /// Which region each voxel of the piece truly belongs to.
    private var owners: [UInt8] {
        let plane = patient.grid.rows * patient.grid.columns
        return Array(training.truth.owners.voxels[slices.lowerBound * plane..<slices.upperBound * plane])
    }

    /// The voxels of every organ, lesion and focus where they truly are.
    ///
    /// - Shape: `[regions, z, y, x]`; nil when there is none.
    private func organMasks() throws(LearningError) -> Tensor? {
        let owners = owners
        var row = [Int](repeating: -1, count: 256)
        var rows = 0
        for owner in Set(owners).sorted() where owner > 0 && !training.truth.backgroundOwners.contains(owner) {
            row[Int(owner)] = rows
            rows += 1
        }
        guard rows > 0 else { return nil }
        var masks = [Float](repeating: 0, count: rows * owners.count)
        for (voxel, owner) in owners.enumerated() where row[Int(owner)] >= 0 {
            masks[row[Int(owner)] * owners.count + voxel] = 1
        }
        return try Tensor(
            masks, shape: [rows, slices.count, patient.grid.rows, patient.grid.columns], device: patient.tensor.device)
    }

    /// Concentrations below this part of the body's mean are alike.
    private static let edgeFloor: Float = 0.1

    /// Mean step of the logarithm between neighbours that truly belong to one region: uptake edges off the borders.
    func edgesOffBorders(of found: Tensor) throws(LearningError) -> Tensor {
        let owners = owners
        let extents = Array(found.shape.suffix(3))
        let strides = [extents[1] * extents[2], extents[2], 1]
        let logarithm = try (found + Self.edgeFloor).log()
        var sum = try Tensor.zeros([1], device: found.device)
        var count: Float = 0
        for axis in 0..<3 where extents[axis] > 1 {
            var shape = extents
            shape[axis] -= 1
            var together: [Float] = []
            together.reserveCapacity(shape.reduce(1, *))
            for z in 0..<shape[0] {
                for y in 0..<shape[1] {
                    for x in 0..<shape[2] {
                        let voxel = z * strides[0] + y * strides[1] + x
                        let isOne = owners[voxel] > 0 && owners[voxel] == owners[voxel + strides[axis]]
                        together.append(isOne ? 1 : 0)
                    }
                }
            }
            count += together.reduce(0, +)
            let mask = try Tensor(together, shape: [1, 1] + shape, device: found.device)
            let step =
                try logarithm.slice(2 + axis, 1..<extents[axis]) - logarithm.slice(2 + axis, 0..<extents[axis] - 1)
            sum = try sum + (step.abs() * mask).sum().reshaped([1])
        }
        return try (sum / max(count, 1)).sum()
    }
}
