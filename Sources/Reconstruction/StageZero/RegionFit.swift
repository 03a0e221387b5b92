import Anatomy
import Glibc
import Imaging
import Tomography

/// The fit of all regions, with regions of their own for activity that the anatomy does not explain.
///
/// After each fit the residual is searched for places that shine in both views, or in one where the other sees them
/// through too much tissue; the strongest become Gaussian blobs whose level, place and depth are fitted with everything
/// else, as long as each explains clearly more than noise. How far places and uptake may differ the last fits tell themselves.
struct RegionFit {
    let model: ForwardModel
    let solution: MaximumAPosteriori
    /// Of all fits together.
    let iterations: Int
    let offset: SIMD2<Double>
    /// Templates from this index on are blobs.
    let focusStart: Int

    static let focusLimit = 8
    private static let focusesPerRound = 4
    private static let roundLimit = 3
    private static let adaptationRounds = 2

    init(
        templates: [RegionTemplate], levels: [Double], measurement: PlanarMeasurement,
        attenuation: [Double: Volume<Float>], grid: VoxelGrid, offset: SIMD2<Double>, body: Volume<Bool>,
        bone: Volume<Float>?, options: StageZero.Options
    ) throws(ReconstructionError) {
        let focusStart = templates.count
        var templates = templates
        var levels = levels
        var spread = PriorSpread()
        func makeModel() throws(ReconstructionError) -> ForwardModel {
            let parameters = try FitParameters(
                templates: templates, levels: levels, measurement: measurement, options: options, grid: grid,
                focusStart: focusStart, spread: spread)
            return try ForwardModel(
                templates: templates, parameters: parameters, measurement: measurement, attenuation: attenuation,
                grid: grid, offset: offset)
        }
        var model = try makeModel()
        var solution = try MaximumAPosteriori(model, start: model.parameters.mean)
        var iterations = solution.iterations
        for _ in 0..<Self.roundLimit where options.foci && templates.count - focusStart < Self.focusLimit {
            let limit = min(Self.focusesPerRound, Self.focusLimit - (templates.count - focusStart))
            let found = try FocusSearch(model, solution, body: body, bone: bone).strongest(limit)
            if found.isEmpty { break }
            for focus in found {
                let name = "unexplained_\(templates.count - focusStart + 1)"
                guard
                    let template = RegionTemplate(
                        name: name, organ: nil, kind: .lesion, coverage: focus.blob, grid: grid, texture: nil,
                        freedom: .init(
                            isMovable: options.shifts,
                            place: focus.isInBone ? StageZero.Prior.boneFocusPlace : StageZero.Prior.focusPlace))
                else { continue }
                templates.append(template)
                levels.append(focus.level)
            }
            let known = Dictionary(uniqueKeysWithValues: zip(model.parameters.list, solution.value))
            model = try makeModel()
            let start = zip(model.parameters.list, model.parameters.mean).map { known[$0] ?? $1 }
            solution = try MaximumAPosteriori(model, start: start)
            iterations += solution.iterations
        }
        for _ in 0..<(options.adaptation ? Self.adaptationRounds : 0) {
            let next = spread.adapted(to: solution, of: model.parameters, focusStart: focusStart)
            guard next != spread else { break }
            spread = next
            model = try makeModel()
            solution = try MaximumAPosteriori(model, start: solution.value, tangent: solution.tangent)
            iterations += solution.iterations
        }
        (self.model, self.solution, self.iterations) = (model, solution, iterations)
        (self.offset, self.focusStart) = (offset, focusStart)
    }
}
