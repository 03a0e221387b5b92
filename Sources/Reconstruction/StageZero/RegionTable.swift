import Anatomy
import Glibc
import Imaging
import Tomography

/// The rows of the organ table of a fit.
struct RegionTable {
    let fit: RegionFit
    private let boxes: [VoxelBox]
    private let sums: [Double]
    /// Bq, or the unit of an uncalibrated result, for each unit of the fit.
    private let unit: Double
    private let isCalibrated: Bool

    init(fit: RegionFit, uneven: HeterogeneityStep?, unit: Double, isCalibrated: Bool) {
        (self.fit, self.unit, self.isCalibrated) = (fit, unit, isCalibrated)
        let model = fit.model
        boxes = model.boxes(fit.solution.value)
        sums = boxes.indices.map { [boxes] region in
            let level = model.level(region, fit.solution.value)
            var sum = 0.0
            boxes[region].forEachRow(of: model.grid) { inGrid, inBox in
                for x in 0..<boxes[region].columns.count {
                    let factor = uneven?.factors.voxels[inGrid + x] ?? 1
                    sum += Double(boxes[region].values[inBox + x] * factor)
                }
            }
            return sum * level * model.grid.voxelMillilitres
        }
    }

    private func index(_ parameter: FitParameter) -> Int? { fit.model.parameters.indices[parameter] }

    private func variance(_ parameter: FitParameter) -> Double? {
        index(parameter).map { fit.solution.covariance[$0 * fit.model.parameters.count + $0] }
    }

    private func activity(_ region: Int) -> Double { sums[region] * unit * (isCalibrated ? 1e-6 : 1) }

    /// Variance of the logarithm of what a region holds: its level and its modes change it, its texture does not.
    private func activityVariance(_ region: Int) -> Double {
        let covariance = fit.solution.covariance
        let template = fit.model.templates[region]
        let count = fit.model.parameters.count
        let total = boxes[region].values.reduce(0) { $0 + Double($1) }
        guard let level = index(.level(region: region)), total > 0 else { return 0 }
        var weights = [(index: level, weight: 1.0)]
        for (number, mode) in template.modes.enumerated() {
            guard let place = index(.mode(region: region, index: number)) else { continue }
            weights.append((place, mode.values.reduce(0) { $0 + Double($1) } / total))
        }
        var variance = 0.0
        for row in weights {
            for column in weights {
                variance += row.weight * column.weight * covariance[row.index * count + column.index]
            }
        }
        return variance
    }

    func organs(expected: [Float]) -> [ActivityEstimate.OrganActivity] {
        let model = fit.model
        let chiSquares = chiSquares(expected)
        return (0..<fit.focusStart).map { region in
            let template = model.templates[region]
            let variance = activityVariance(region)
            let prior = StageZero.Prior.level(of: template.kind)
            return ActivityEstimate.OrganActivity(
                name: template.name, kind: template.kind, activity: activity(region),
                meanConcentration: sums[region] * unit / template.millilitres, millilitres: template.millilitres,
                deviationPercent: 100 * variance.squareRoot(),
                dataShare: min(max(1 - variance / (prior * prior), 0), 1),
                shift: model.form(region, fit.solution.value).shift, chiSquare: chiSquares[region])
        }
    }

    func unexplained() -> [ActivityEstimate.UnexplainedActivity] {
        let model = fit.model
        return (fit.focusStart..<model.templates.count).map { region in
            let template = model.templates[region]
            return ActivityEstimate.UnexplainedActivity(
                name: template.name, activity: activity(region),
                deviationPercent: 100 * (variance(.level(region: region)) ?? 0).squareRoot(),
                position: template.centre + model.form(region, fit.solution.value).shift,
                depthDeviation: depthVariance(region, template).squareRoot())
        }
    }

    /// As if the anatomy had not been asked: that it lies in a bone is likely, not known.
    private func depthVariance(_ region: Int, _ template: RegionTemplate) -> Double {
        let found = variance(.shift(region: region, axis: 1)) ?? 0
        let open = StageZero.Prior.focusPlace.y
        guard let prior = template.freedom.place?.y, prior < open, found > 0 else { return found }
        return 1 / (max(1 / found - 1 / (prior * prior), 0) + 1 / (open * open))
    }

    /// How well the pixels are explained that a region dominates.
    private func chiSquares(_ expected: [Float]) -> [Double?] {
        let model = fit.model
        guard let projector = try? model.projector(fit.solution.value) else { return sums.map { _ in nil } }
        let trust = PixelTrust(model.measurement)
        let weights = trust.weights(expected)
        let path = model.path(fit.solution.value)
        return boxes.indices.map { region in
            let level = Float(model.level(region, fit.solution.value))
            let image = path.primary(projector.forward(boxes[region]))
            var sum = 0.0
            var count = 0
            for pixel in image.indices where level * image[pixel] > expected[pixel] / 2 {
                let away = trust.counts[pixel] - expected[pixel]
                sum += Double(weights[pixel] * away * away)
                count += 1
            }
            return count > 0 ? sum / Double(count) : nil
        }
    }
}
