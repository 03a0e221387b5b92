import Reconstruction
import Testing

@Suite(.serialized) struct ForwardModelTests {
    private static func model(spacing: Double) throws -> ForwardModel {
        var recipe = SyntheticPatient.Recipe(seed: 2, difficulty: .matched)
        recipe.resolution = .swift
        let patient = try SyntheticPatient(recipe)
        let stage = StageZero(anatomy: try patient.anatomy(spacing: spacing), site: recipe.site)
        return try stage.model(try stage.prepare(patient.views))
    }

    /// Every column of the Jacobian is the derivative of the expected counts. Tolerances: the background gives way to
    /// organs in the counts but not in the column of a shift, and trilinear motion has kinks at voxels.
    @Test func columnsAreDerivatives() throws {
        let model = try Self.model(spacing: 9.6)
        let value = model.parameters.mean
        let columns = try model.columns(value)
        #expect(columns.count == value.count)
        // Of shifts those that change most: an organ of a voxel or two has no derivative to speak of.
        let norms = columns.map { column in column.reduce(0) { $0 + Double($1 * $1) } }
        let shifts = model.parameters.list.indices.filter { Self.isShift(model.parameters.list[$0]) }
        let strongest = Set(shifts.sorted { norms[$0] > norms[$1] }.prefix(8))
        for (place, parameter) in model.parameters.list.enumerated()
        where Self.isChecked(parameter) || strongest.contains(place) {
            let (step, tolerance) = Self.step(parameter)
            var (ahead, behind) = (value, value)
            ahead[place] += step
            behind[place] -= step
            let (upper, lower) = (try model.expected(ahead), try model.expected(behind))
            var (difference, norm) = (0.0, 0.0)
            for pixel in columns[place].indices {
                let slope = Double(upper[pixel] - lower[pixel]) / (2 * step)
                difference += (Double(columns[place][pixel]) - slope) * (Double(columns[place][pixel]) - slope)
                norm += slope * slope
            }
            #expect(difference.squareRoot() < tolerance * norm.squareRoot(), "\(parameter)")
        }
    }

    /// Where a fit has ended the next one needs no Jacobian of its own.
    @Test func aFitGivesItsTangentOn() throws {
        let model = try Self.model(spacing: 12)
        let fit = try MaximumAPosteriori(model, start: model.parameters.mean)
        #expect(fit.iterations > 2)
        let anew = try MaximumAPosteriori(model, start: fit.value)
        let given = try MaximumAPosteriori(model, start: fit.value, tangent: fit.tangent)
        #expect(given.value == anew.value && given.covariance == anew.covariance)
        #expect(given.iterations == anew.iterations)
        // Somewhere else it is another.
        let astray = try MaximumAPosteriori(model, start: model.parameters.mean, tangent: fit.tangent)
        #expect(astray.value != fit.value)
    }

    /// One region of each kind is enough: lesions come first, the liver is among the organs.
    private static func isChecked(_ parameter: FitParameter) -> Bool {
        switch parameter {
        case .level(let region), .texture(let region): region % 4 == 0
        case .shift: false
        case .mode(_, let index): index == 3
        default: true
        }
    }

    private static func isShift(_ parameter: FitParameter) -> Bool {
        if case .shift = parameter { true } else { false }
    }

    private static func step(_ parameter: FitParameter) -> (step: Double, tolerance: Double) {
        switch parameter {
        case .shift: (1, 0.25)
        case .offset, .face: (1, 0.03)
        case .rotation: (2e-3, 0.03)
        case .texture, .mode: (0.05, 0.03)
        default: (0.01, 0.03)
        }
    }
}
