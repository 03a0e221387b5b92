import COpenBLAS

/// The weighted normal equations of a Gauss-Newton step, `(J' W J + P) step = J' W r + P (prior - value)`.
///
/// - Shape: matrices are `order * order`, symmetric.
package struct NormalEquations {
    let order: Int
    /// `J' W J` alone: what the counts say.
    private(set) var information: [Double]
    private(set) var matrix: [Double]
    private(set) var gradient: [Double]

    /// - Parameters:
    ///   - columns: the Jacobian, one array over the pixels for each parameter.
    ///   - weights: 1 / variance of each pixel.
    ///   - residual: measured minus expected.
    package init(columns: [[Float]], weights: [Float], residual: [Float]) {
        order = columns.count
        let pixels = residual.count
        // Sums run over tens of thousands of pixels of values that were weighted to be near one: blocks in single
        // precision, their sums in double.
        let block = 4096
        let roots = weights.map { $0.squareRoot() }
        information = [Double](repeating: 0, count: order * order)
        gradient = [Double](repeating: 0, count: order)
        var scaled = [Float](repeating: 0, count: order * block)
        var part = [Float](repeating: 0, count: order * order)
        for start in stride(from: 0, to: pixels, by: block) {
            let count = min(block, pixels - start)
            for (row, column) in columns.enumerated() {
                var sum = 0.0
                for pixel in 0..<count {
                    let value = roots[start + pixel] * column[start + pixel]
                    scaled[row * block + pixel] = value
                    sum += Double(value * roots[start + pixel] * residual[start + pixel])
                }
                gradient[row] += sum
            }
            cblas_ssyrk(
                CblasRowMajor, CblasUpper, CblasNoTrans, Int32(order), Int32(count), 1, scaled, Int32(block), 0, &part,
                Int32(order))
            for row in 0..<order {
                for column in row..<order { information[row * order + column] += Double(part[row * order + column]) }
            }
        }
        for row in 0..<order {
            for column in 0..<row { information[row * order + column] = information[column * order + row] }
        }
        matrix = information
    }

    /// What is known of them already.
    init(order: Int, information: [Double], gradient: [Double]) {
        (self.order, self.information, matrix, self.gradient) = (order, information, information, gradient)
    }

    /// Adds a Gaussian prior.
    ///
    /// - Parameter shortfall: the prior's mean minus the value.
    package mutating func addPrior(precision: [Double], shortfall: [Double]) {
        for element in matrix.indices { matrix[element] += precision[element] }
        cblas_dsymv(
            CblasRowMajor, CblasUpper, Int32(order), 1, precision, Int32(order), shortfall, 1, 1, &gradient, 1)
    }

    /// Solves for the step, the diagonal raised by `1 + damping`.
    ///
    /// - Throws: ``ReconstructionError/singular(order:)``.
    package func step(damping: Double) throws(ReconstructionError) -> [Double] {
        var factor = matrix
        for parameter in 0..<order { factor[parameter * order + parameter] *= 1 + damping }
        var solution = gradient
        let status = LAPACKE_dposv(
            LAPACK_ROW_MAJOR, CChar(UInt8(ascii: "U")), Int32(order), 1, &factor, Int32(order), &solution, 1)
        guard status == 0, solution.allSatisfy(\.isFinite) else { throw .singular(order: order) }
        return solution
    }

    /// Takes parameters out of the fit: no step changes them.
    package mutating func freeze(_ parameters: [Int]) {
        for frozen in parameters {
            gradient[frozen] = 0
            for other in 0..<order {
                matrix[frozen * order + other] = 0
                matrix[other * order + frozen] = 0
            }
            matrix[frozen * order + frozen] = 1
        }
    }

    /// The covariance of the parameters, with what frozen ones pass on: `H^-1 + G V G'`, `G = -H^-1 J' W J_c`.
    ///
    /// - Parameters:
    ///   - trust: factor of what the counts say.
    ///   - considered: the frozen parameters and their variances.
    /// - Throws: ``ReconstructionError/singular(order:)``.
    package func covariance(
        trust: Double, considered: [(parameter: Int, variance: Double)]
    ) throws(ReconstructionError) -> [Double] {
        let frozen = Set(considered.map(\.parameter))
        var inverse = matrix
        for row in 0..<order where !frozen.contains(row) {
            for column in 0..<order where !frozen.contains(column) {
                inverse[row * order + column] += (trust - 1) * information[row * order + column]
            }
        }
        guard invertPositiveDefinite(&inverse, order: order) else { throw .singular(order: order) }
        var covariance = inverse
        for (parameter, variance) in considered {
            // How every fitted parameter follows the considered one.
            var cause = (0..<order).map { frozen.contains($0) ? 0 : -trust * information[$0 * order + parameter] }
            var response = [Double](repeating: 0, count: order)
            cblas_dsymv(
                CblasRowMajor, CblasUpper, Int32(order), 1, inverse, Int32(order), cause, 1, 0, &response, 1)
            response[parameter] = 1
            cause = response.map { $0 * variance }
            for row in 0..<order {
                for column in 0..<order { covariance[row * order + column] += cause[row] * response[column] }
            }
            covariance[parameter * order + parameter] = variance
        }
        return covariance
    }
}

/// Inverts a symmetric positive definite matrix in place, by Cholesky.
func invertPositiveDefinite(_ matrix: inout [Double], order: Int) -> Bool {
    let upper = CChar(UInt8(ascii: "U"))
    guard LAPACKE_dpotrf(LAPACK_ROW_MAJOR, upper, Int32(order), &matrix, Int32(order)) == 0,
        LAPACKE_dpotri(LAPACK_ROW_MAJOR, upper, Int32(order), &matrix, Int32(order)) == 0
    else { return false }
    for row in 0..<order {
        for column in 0..<row { matrix[row * order + column] = matrix[column * order + row] }
    }
    return true
}
