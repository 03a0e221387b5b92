import Glibc
import Imaging
import Tomography

/// Looks for small sources that would explain what a fit has left over.
///
/// The residual of each head is filtered with the image of a blob and divided by the filtered noise. Where the heads
/// together stand out, blobs at every depth are projected, and the depth whose two images explain most of the residual is
/// taken: the ratio of the views is what tells it. Where that hardly tells depths apart, as deep behind an uneven organ, a
/// depth in a bone is taken: that is where new uptake of prostate cancer lies most often.
struct FocusSearch {
    /// A blob of activity that would explain a part of the residual.
    struct Focus {
        let blob: VoxelBox
        /// Activity concentration for a blob of coverage one.
        let level: Double
        /// By how much the weighted residual's square falls.
        let gain: Double
        let isInBone: Bool
    }

    /// Standard deviation of a blob, in millimetres: about 4 mL.
    static let width = 6.0
    /// Below this gain it may be noise, or the unevenness of an organ.
    static let gainLimit = 60.0
    /// What is left over at a place has to be at least this part of what is expected there.
    static let contrastLimit: Float = 0.3

    /// A bone is preferred to a depth that explains the residual better by less than this. Of `exp(20 / 2)` little is left
    /// when residuals are several times what counts alone would make, as they are beside uneven organs.
    static let bonePreference = 20.0
    /// Part of a blob from which on it lies in bone.
    private static let boneShare: Float = 0.4

    let model: ForwardModel
    let solution: MaximumAPosteriori
    let body: Volume<Bool>
    private let bone: Volume<Float>?
    private let weights: [Float]
    private let residual: [Float]

    /// - Parameter bone: part of each voxel that is bone; nil where no bone is known.
    init(_ model: ForwardModel, _ solution: MaximumAPosteriori, body: Volume<Bool>, bone: Volume<Float>?) {
        (self.model, self.solution, self.body, self.bone) = (model, solution, body, bone)
        weights = PixelTrust(model.measurement).weights(solution.expected)
        residual = zip(model.measurement.counts, solution.expected).map { $0 - $1 }
    }

    /// The strongest sources, far enough from each other to be fitted together.
    func strongest(_ limit: Int) throws(ReconstructionError) -> [Focus] {
        let projector = try model.projector(solution.value)
        let detector = model.measurement.heads[0].detector
        var score = significance(detector)
        var found: [Focus] = []
        var tries = 0
        while found.count < limit, tries < 4 * limit {
            tries += 1
            guard let pixel = score.indices.max(by: { score[$0] < score[$1] }), score[pixel] > 0 else { break }
            let place = SIMD2(pixel % detector.columns, pixel / detector.columns)
            if let focus = best(at: place, detector, projector) { found.append(focus) }
            // Neighbours would find the same source again.
            let reach = SIMD2(Int(35 / detector.spacing.x), Int(35 / detector.spacing.y))
            for row in max(0, place.y - reach.y)...min(detector.rows - 1, place.y + reach.y) {
                for column in max(0, place.x - reach.x)...min(detector.columns - 1, place.x + reach.x) {
                    score[row * detector.columns + column] = 0
                }
            }
        }
        return found
    }

    /// Sum over the heads of the squared significance of a positive residual, zero where the contrast is low.
    private func significance(_ detector: DetectorGrid) -> [Float] {
        var score = [Float](repeating: 0, count: detector.pixelCount)
        let offsets = model.measurement.offsets
        let width = 9.0
        let blur = ImageBlur(on: detector, deviation: width)
        let narrowBlur = ImageBlur(on: detector, deviation: width / 2.0.squareRoot())
        for head in model.measurement.heads.indices {
            let range = offsets[head]..<offsets[head + 1]
            let weighted = range.map { weights[$0] * residual[$0] }
            let filtered = blur.applied(to: weighted)
            // The variance of a filtered image is that of its pixels filtered with the squared kernel, which is as
            // narrow as the root of two and as small as the pixels it covers.
            let squared = narrowBlur.applied(to: Array(weights[range]))
            let area = Float(detector.spacing.x * detector.spacing.y / (4 * .pi * width * width))
            let smoothResidual = blur.applied(to: Array(residual[range]))
            let smoothExpected = blur.applied(to: Array(solution.expected[range]))
            for pixel in score.indices {
                let hasContrast = smoothResidual[pixel] > Self.contrastLimit * smoothExpected[pixel]
                guard hasContrast, filtered[pixel] > 0, squared[pixel] > 0 else { continue }
                score[pixel] += filtered[pixel] * filtered[pixel] / (squared[pixel] * area)
            }
        }
        return score
    }

    private func best(
        at place: SIMD2<Int>, _ detector: DetectorGrid, _ projector: OpposedViewProjector
    ) -> Focus? {
        let grid = model.grid
        // The projector's pixels hold the registration's offset; the motion of the fit is small beside a blob.
        let wide = projector.heads[0].detector
        let motion = model.motion(solution.value).shift
        let x = wide.origin.x + Double(place.x + ForwardModel.margin) * wide.spacing.x - motion.x
        let z = wide.origin.y + Double(place.y + ForwardModel.margin) * wide.spacing.y - motion.y
        let column = Int(((x - grid.origin.x) / grid.spacing.x).rounded())
        let slice = Int(((z - grid.origin.z) / grid.spacing.z).rounded())
        guard (0..<grid.columns).contains(column), (0..<grid.slices).contains(slice) else { return nil }
        let depths = stride(from: 0, to: grid.rows, by: 2).filter { body[column, $0, slice] }
        let blobs = depths.map {
            Self.blob(at: SIMD3(x, grid.position(x: 0, y: Double($0), z: 0).y, z), in: grid, body: body)
        }
        var best: Focus?
        var most = 0.0
        let path = model.path(solution.value)
        for (blob, raw) in zip(blobs, projector.forward(blobs)) {
            let image = path.primary(raw)
            var cross = 0.0
            var power = 0.0
            for pixel in image.indices where image[pixel] != 0 {
                cross += Double(image[pixel] * weights[pixel] * residual[pixel])
                power += Double(image[pixel] * weights[pixel] * image[pixel])
            }
            guard power > 0, cross > 0 else { continue }
            let gain = cross * cross / power
            let isInBone = share(ofBoneIn: blob) >= Self.boneShare
            let preference = gain + (isInBone ? Self.bonePreference : 0)
            if gain > Self.gainLimit, preference > most {
                most = preference
                best = Focus(blob: blob, level: cross / power, gain: gain, isInBone: isInBone)
            }
        }
        return best
    }

    private func share(ofBoneIn blob: VoxelBox) -> Float {
        guard let bone else { return 0 }
        let whole = blob.values.reduce(0, +)
        var part: Float = 0
        blob.forEachRow(of: bone.grid) { inGrid, inBox in
            for x in 0..<blob.columns.count { part += blob.values[inBox + x] * bone.voxels[inGrid + x] }
        }
        return whole > 0 ? part / whole : 0
    }

    /// A Gaussian, cut at the body's surface.
    static func blob(at centre: SIMD3<Double>, in grid: VoxelGrid, body: Volume<Bool>) -> VoxelBox {
        let index = grid.index(of: centre)
        func range(_ axis: Int, _ count: Int) -> Range<Int> {
            let reach = 3 * width / grid.spacing[axis]
            let lower = min(max(Int((index[axis] - reach).rounded(.down)), 0), count - 1)
            return lower..<max(lower + 1, min(Int((index[axis] + reach).rounded(.up)) + 1, count))
        }
        let columns = range(0, grid.columns)
        let rows = range(1, grid.rows)
        let slices = range(2, grid.slices)
        var values: [Float] = []
        for z in slices {
            for y in rows {
                for x in columns {
                    let away = (SIMD3(Double(x), Double(y), Double(z)) - index) * grid.spacing / width
                    values.append(body[x, y, z] ? Float(exp(-(away * away).sum() / 2)) : 0)
                }
            }
        }
        return VoxelBox(columns: columns, rows: rows, slices: slices, values: values)
    }
}
