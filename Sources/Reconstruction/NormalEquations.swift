import COpenBLAS

/// The weighted normal equations of a Gauss-Newton step, `(J' W J + P) step = J' W r + P (prior - value)`.
///
/// - Shape: `matrix` is `order * order`, symmetric.
struct NormalEquations {
    let order: Int
    private(set) var matrix: [Double]
    private(set) var gradient: [Double]

    /// - Parameters:
    ///   - columns: the Jacobian, one array over the pixels for each parameter.
    ///   - weights: 1 / variance of each pixel.
    ///   - residual: measured minus expected.
    init(columns: [[Float]], weights: [Float], residual: [Float]) {
        order = columns.count
        let pixels = residual.count
        // Weighted columns in double precision: sums run over tens of thousands of pixels.
        var scaled = [Double](repeating: 0, count: order * pixels)
        var scaledResidual = [Double](repeating: 0, count: pixels)
        let roots = weights.map { Double($0).squareRoot() }
        for pixel in 0..<pixels { scaledResidual[pixel] = roots[pixel] * Double(residual[pixel]) }
        for (row, column) in columns.enumerated() {
            for pixel in 0..<pixels { scaled[row * pixels + pixel] = roots[pixel] * Double(column[pixel]) }
        }
        matrix = [Double](repeating: 0, count: order * order)
        gradient = [Double](repeating: 0, count: order)
        cblas_dsyrk(
            CblasRowMajor, CblasUpper, CblasNoTrans, Int32(order), Int32(pixels), 1, scaled, Int32(pixels), 0, &matrix,
            Int32(order))
        cblas_dgemv(
            CblasRowMajor, CblasNoTrans, Int32(order), Int32(pixels), 1, scaled, Int32(pixels), scaledResidual, 1, 0,
            &gradient, 1)
        for row in 0..<order {
            for column in 0..<row { matrix[row * order + column] = matrix[column * order + row] }
        }
    }

    /// Adds a Gaussian prior on one parameter: its precision and how far the value lies below the prior's mean.
    mutating func addPrior(_ parameter: Int, precision: Double, shortfall: Double) {
        matrix[parameter * order + parameter] += precision
        gradient[parameter] += precision * shortfall
    }

    /// Solves for the step, the diagonal raised by `1 + damping`.
    ///
    /// - Throws: ``ReconstructionError/singular(order:)``.
    func step(damping: Double) throws(ReconstructionError) -> [Double] {
        var factor = matrix
        for parameter in 0..<order { factor[parameter * order + parameter] *= 1 + damping }
        var solution = gradient
        let status = LAPACKE_dposv(
            LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "U")), Int32(order), 1, &factor, Int32(order), &solution, 1)
        guard status == 0, solution.allSatisfy(\.isFinite) else { throw .singular(order: order) }
        return solution
    }

    /// The inverse of the matrix: the covariance of the parameters.
    ///
    /// - Throws: ``ReconstructionError/singular(order:)``.
    func covariance() throws(ReconstructionError) -> [Double] {
        var inverse = matrix
        let upper = CChar(UInt8(ascii: "U"))
        guard LAPACKE_dpotrf(LAPACK_ROW_MAJOR, upper, Int32(order), &inverse, Int32(order)) == 0,
            LAPACKE_dpotri(LAPACK_ROW_MAJOR, upper, Int32(order), &inverse, Int32(order)) == 0
        else { throw .singular(order: order) }
        for row in 0..<order {
            for column in 0..<row { inverse[row * order + column] = inverse[column * order + row] }
        }
        return inverse
    }
}
