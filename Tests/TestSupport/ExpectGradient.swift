public import Testing

/// Expects `gradient` to be the derivative of `value` at `point`, by central differences in every coordinate.
///
/// - Parameters:
///   - step: large enough that float32 rounding, about 1e-7 of the value over the step, stays below the tolerance.
///   - tolerance: of a component, relative to the largest one.
public func expectGradient(
    of value: ([Float]) throws -> Float, is gradient: [Float], at point: [Float], step: Float = 1e-2,
    tolerance: Float = 5e-3, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    try #require(gradient.count == point.count, sourceLocation: sourceLocation)
    let scale = gradient.reduce(0) { max($0, abs($1)) }
    for index in point.indices {
        var (above, below) = (point, point)
        above[index] += step
        below[index] -= step
        let slope = try (value(above) - value(below)) / (2 * step)
        #expect(
            abs(slope - gradient[index]) <= tolerance * max(scale, 1e-3),
            "coordinate \(index): differences give \(slope), the gradient says \(gradient[index])",
            sourceLocation: sourceLocation)
    }
}
