import Anatomy
import Imaging
import Tomography

extension EvaluationCase {
    /// Scales of the unevenness that the counts are asked for, in millimetres; the one nearest to the truth is taken.
    private static let widths = [4.0, 7, 12, 20]

    /// ``trueLevels()`` and what two views of a camera that is known without error, tails and scatter included, add to it.
    ///
    /// Counts are drawn anew from the truth through the reconstruction's own projector. For a Gaussian unevenness of known
    /// size and scale the solution is mean and median of all that is possible: no method that sees the same counts has a
    /// smaller expected error, whatever it is made of.
    func trueLevelsAndCounts() throws -> Volume<Float> {
        let base = try trueLevels()
        let projector = try networkStudy().scan.projector
        var generator = SeededGenerator(seed: patient.recipe.seed, purpose: "oracle")
        let counts = projector.forward(truth.voxels).map { Float(generator.poisson(mean: Double(max($0, 0)))) }
        let expected = projector.forward(base.voxels)
        let weights = expected.map { 1 / max($0, PixelTrust.expectedFloor) }
        let maps = Self.widths.map { width in
            var uptake = UnevenUptake()
            uptake.unevenness = Float(max(patient.recipe.unevenness, 0.02))
            uptake.width = width
            let problem = UnevenUptake.Problem(
                base: base, weights: weights, residual: zip(counts, expected).map { $0 - $1 },
                forward: projector.forward, adjoint: projector.adjoint)
            let factors = uptake.factors(uptake.fitted(to: problem).field, problem)
            return base.filled { base.voxels[$0] * factors.voxels[$0] }
        }
        let errors = maps.map { map in
            zip(map.voxels, truth.voxels).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) }
        }
        return maps[errors.indices.min { errors[$0] < errors[$1] } ?? 0]
    }

    /// Stage 0 when it is told where everything is: PET/CT and contours of the time of the planar scan, unseen lesions
    /// included. What it still has to find are levels and unevenness, through the camera as it is.
    func truePlaces() throws(ReconstructionError) -> ActivityEstimate {
        let later: PatientAnatomy
        do { later = try patient.laterAnatomy(spacing: spacing) } catch { throw .regionsOutsideField([]) }
        var options = StageZero.Options()
        options.shifts = false
        let stage = StageZero(anatomy: later, site: patient.recipe.site, options: options)
        return try stage.reconstruct(stage.prepare(patient.views))
    }

    /// Structures are looked up on a grid so many times finer.
    private static let fineness = 2

    /// Every structure of the patient where it truly is, filled with the mean of the truth there: over the voxels that it
    /// has to itself, where there are such.
    func trueLevels() throws -> Volume<Float> {
        let grid = anatomy.grid
        let parts = Self.fineness
        let fine = try VoxelGrid(
            columns: grid.columns * parts, rows: grid.rows * parts, slices: grid.slices * parts,
            spacing: grid.spacing / Double(parts),
            origin: grid.origin - grid.spacing * (0.5 - 0.5 / Double(parts)))
        let labels = patient.laterPhantom.labels(on: fine)
        func forEachPart(_ body: (_ voxel: Int, _ label: StructureLabel) -> Void) {
            for z in 0..<fine.slices {
                for y in 0..<fine.rows {
                    let row = fine.offset(x: 0, y: y, z: z)
                    let coarse = grid.offset(x: 0, y: y / parts, z: z / parts)
                    for x in 0..<fine.columns { body(coarse + x / parts, labels.voxels[row + x]) }
                }
            }
        }
        var owner = [StructureLabel?](repeating: nil, count: grid.voxelCount)
        var isShared = [Bool](repeating: false, count: grid.voxelCount)
        forEachPart { voxel, label in
            if let known = owner[voxel], known != label { isShared[voxel] = true }
            owner[voxel] = label
        }
        func means(_ counts: (Int) -> Bool) -> [StructureLabel: Float] {
            var sums: [StructureLabel: (activity: Double, parts: Double)] = [:]
            forEachPart { voxel, label in
                guard counts(voxel) else { return }
                sums[label, default: (0, 0)].activity += Double(truth.voxels[voxel])
                sums[label, default: (0, 0)].parts += 1
            }
            return sums.mapValues { Float($0.activity / $0.parts) }
        }
        let levels = means { _ in true }.merging(means { !isShared[$0] }) { $1 }
        var map = Volume<Float>(grid: grid, repeating: 0)
        let share = 1 / Float(parts * parts * parts)
        forEachPart { voxel, label in map.voxels[voxel] += (levels[label] ?? 0) * share }
        return map
    }
}
