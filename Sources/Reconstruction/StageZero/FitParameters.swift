import Anatomy
import COpenBLAS
import Glibc
package import Imaging
import Tomography

/// What the fit may change, one number each.
///
/// - Units: levels and factors as natural logarithms; millimetres; radians.
package enum FitParameter: Hashable {
    case level(region: Int)
    case shift(region: Int, axis: Int)
    case texture(region: Int)
    case mode(region: Int, index: Int)
    /// The camera's image moved along x (0) or z (1).
    case offset(axis: Int)
    case rotation
    /// All attenuation coefficients together.
    case attenuation
    case face(ViewDirection)
    case sensitivity(ViewDirection)
    /// The part of a point's image that lies in wide tails: photons that septa let through.
    case tails
    /// The scatter estimate of a head.
    case scatter(head: Int)
    /// Scatter that the estimate has missed, as a part of the counts.
    case missedScatter(head: Int)
}

extension FitParameter {
    /// The region that it belongs to; nil for what belongs to the camera.
    var region: Int? {
        switch self {
        case .level(let region), .shift(let region, _), .texture(let region), .mode(let region, _): region
        default: nil
        }
    }

    /// Standard deviation of what two views can hardly tell of; nil for all else. What would seem to tell of it is
    /// unevenness that the model does not hold, so its whole uncertainty is passed on to all others, whatever the counts
    /// seem to say.
    ///
    /// - Source: Schmidt, Advances in Control Systems 3 (1966) 293 (consider parameters).
    var consideredDeviation: Double? {
        switch self {
        case .attenuation: StageZero.Prior.attenuation
        case .sensitivity: StageZero.Prior.sensitivity
        default: nil
        }
    }

    /// Taken as it is known and not fitted.
    var isFrozen: Bool { if case .sensitivity = self { true } else { false } }
}

/// The parameters of one fit, their values before any count is seen, and how sure those are.
///
/// - Shape: `covariance` and `precision` are `count * count`, symmetric.
package struct FitParameters {
    package let list: [FitParameter]
    let indices: [FitParameter: Int]
    let spread: PriorSpread
    package let mean: [Double]
    let covariance: [Double]
    let precision: [Double]

    var count: Int { list.count }
    var frozen: [Int] { list.indices.filter { list[$0].isFrozen } }
    /// The parameters whose uncertainty does not follow from the counts.
    var considered: [(parameter: Int, variance: Double)] {
        list.indices.compactMap { index in
            list[index].consideredDeviation.map { (index, $0 * $0) }
        }
    }

    /// `-ln` of the prior density, but for a constant.
    func penalty(_ value: [Double]) -> Double {
        let away = zip(value, mean).map(-)
        var product = [Double](repeating: 0, count: count)
        cblas_dsymv(
            CblasRowMajor, CblasUpper, Int32(count), 1, precision, Int32(count), away, 1, 0, &product, 1)
        return zip(away, product).reduce(0) { $0 + $1.0 * $1.1 } / 2
    }

    /// - Parameters:
    ///   - focusStart: templates from here on are blobs that were found in the counts.
    ///   - spread: how far places and uptake within regions are expected to differ, as parts of what is usual.
    /// - Throws: ``ReconstructionError/singular(order:)``.
    init(
        templates: [RegionTemplate], levels: [Double], measurement: PlanarMeasurement, options: StageZero.Options,
        grid: VoxelGrid, focusStart: Int, spread: PriorSpread = PriorSpread()
    ) throws(ReconstructionError) {
        var draft = Draft()
        let shifts = spread[.shifts]
        let prior = StageZero.Prior.self
        for (region, template) in templates.enumerated() {
            let isFocus = region >= focusStart
            draft.add(
                .level(region: region), mean: log(levels[region]),
                deviation: isFocus ? prior.focusLevel : prior.level(of: template.kind))
            if template.freedom.isMovable {
                let own = template.freedom.place ?? prior.ownShift * shifts
                for axis in 0..<3 { draft.add(.shift(region: region, axis: axis), mean: 0, deviation: own[axis]) }
            }
            if template.texture != nil {
                draft.add(.texture(region: region), mean: prior.textureMean, deviation: prior.texture)
            }
            let uneven = UnevenModes.weight(deviation: prior.unevenness * spread[.modes])
            for index in template.modes.indices {
                draft.add(.mode(region: region, index: index), mean: 0, deviation: uneven)
            }
        }
        draft.add(.offset(axis: 0), mean: 0, deviation: prior.offset)
        draft.add(.offset(axis: 1), mean: 0, deviation: prior.offset)
        if options.rotation { draft.add(.rotation, mean: 0, deviation: prior.rotation) }
        if options.nuisances {
            draft.add(.attenuation, mean: 0, deviation: prior.fittedAttenuation)
            let face = measurement.areFacesKnown ? prior.knownFace : prior.assumedFace
            for direction in ViewDirection.allCases {
                draft.add(.face(direction), mean: 0, deviation: face)
                draft.add(.sensitivity(direction), mean: 0, deviation: prior.sensitivity)
            }
            draft.add(.tails, mean: prior.tailsMean, deviation: prior.tails)
            for head in measurement.heads.indices {
                draft.add(.scatter(head: head), mean: 0, deviation: prior.scatter)
                draft.add(
                    .missedScatter(head: head), mean: prior.missedScatterMean, deviation: prior.missedScatter)
            }
        }
        let movable = Set(templates.indices.filter { templates[$0].freedom.isMovable && $0 < focusStart })
        // Levels have a common factor: PET and therapy differ in injected activity and time.
        draft.correlate(prior.commonLevel) { parameter in
            guard case .level(let region) = parameter, region < focusStart else { return 0 }
            return 1
        }
        draft.correlate(prior.breathing * shifts) { parameter in
            guard case .shift(let region, 2) = parameter, movable.contains(region) else { return 0 }
            return templates[region].followsBreathing ? 1 : 0
        }
        // The patient lies deeper or higher in the couch, and turned about the long axis.
        draft.correlate(prior.commonDepth * shifts) { parameter in
            guard case .shift(let region, 1) = parameter, movable.contains(region) else { return 0 }
            return 1
        }
        let middle = grid.position(x: Double(grid.columns - 1) / 2, y: 0, z: 0).x
        draft.correlate(prior.roll * shifts) { parameter in
            guard case .shift(let region, 1) = parameter, movable.contains(region) else { return 0 }
            return templates[region].centre.x - middle
        }
        self.spread = spread
        list = draft.list
        indices = Dictionary(uniqueKeysWithValues: draft.list.enumerated().map { ($1, $0) })
        mean = draft.mean
        covariance = draft.covariance
        precision = try Self.inverse(draft.covariance, order: draft.list.count)
    }

    private struct Draft {
        var list: [FitParameter] = []
        var mean: [Double] = []
        private var variances: [Double] = []
        private var common: [[Double]] = []

        mutating func add(_ parameter: FitParameter, mean: Double, deviation: Double) {
            list.append(parameter)
            self.mean.append(mean)
            variances.append(deviation * deviation)
        }

        /// Adds one cause that moves many parameters together.
        mutating func correlate(_ deviation: Double, _ weight: (FitParameter) -> Double) {
            common.append(list.map { deviation * weight($0) })
        }

        var covariance: [Double] {
            let count = list.count
            var matrix = [Double](repeating: 0, count: count * count)
            for row in 0..<count {
                matrix[row * count + row] = variances[row]
                for cause in common where cause[row] != 0 {
                    for column in 0..<count { matrix[row * count + column] += cause[row] * cause[column] }
                }
            }
            return matrix
        }
    }

    private static func inverse(_ matrix: [Double], order: Int) throws(ReconstructionError) -> [Double] {
        var inverse = matrix
        guard invertPositiveDefinite(&inverse, order: order) else { throw .singular(order: order) }
        return inverse
    }
}

extension RegionTemplate {
    /// What lies under the diaphragm moves with it.
    var followsBreathing: Bool {
        switch organ {
        case .liver, .spleen, .kidneyLeft, .kidneyRight, .stomach, .pancreas: true
        default: false
        }
    }
}
