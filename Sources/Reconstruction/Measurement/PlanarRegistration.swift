import Glibc
import Imaging
import Tomography

/// Where the planar image lies on the patient: the shift along and across the table that lays it over the template's
/// projection.
///
/// The origin of a planar image is not tied to that of the CT, so every position at which the two overlap is tried, by
/// the correlation of the square roots of the counts, in which Poisson noise is the same everywhere. Both heads share
/// one shift.
struct PlanarRegistration {
    /// Millimetres to add to the planar image's nominal coordinates.
    let offset: SIMD2<Double>
    /// Correlation at the best position, -1 to 1.
    let correlation: Double

    /// How far apart across the table the two may be, in millimetres.
    static let acrossLimit = 80.0
    /// The share of the template's length that has to lie inside of the planar image, or, when that is shorter, the share
    /// of the image that has to lie on the template.
    static let overlapLimit = 0.5
    static let shortOverlapLimit = 0.8
    /// An image of a part of the patient is believed to be where it fits best only when it fits well, and nowhere else
    /// nearly as well.
    static let shortCorrelationLimit = 0.6
    static let lead = 0.1
    /// What is further away is another place, in millimetres.
    static let otherPlace = 100.0

    /// - Parameters:
    ///   - template: expected counts on pixels over the whole anatomy, `[head][z, x]`.
    ///   - detector: the template's pixels; their spacing is that of the measurement.
    /// - Throws: ``ReconstructionError/noOverlap``.
    init(
        template: [Float], detector: DetectorGrid, measurement: PlanarMeasurement
    ) throws(ReconstructionError) {
        let measured = measurement.heads[0].detector
        let heads = measurement.heads.count
        let roots = measurement.counts.map { max($0, 0).squareRoot() }
        let templateRoots = template.map { max($0, 0).squareRoot() }
        let start = detector.origin - measured.origin
        var best: (score: Double, shift: SIMD2<Int>)?
        // The best score of every shift along the table.
        var alongTable: [Int: Double] = [:]
        let ofTemplate = Int(Double(detector.rows) * Self.overlapLimit)
        let ofImage = Int(Double(measured.rows) * Self.shortOverlapLimit)
        let isShort = ofImage < ofTemplate
        let overlapRows = min(ofTemplate, ofImage)
        let across = Int((Self.acrossLimit / measured.spacing.x).rounded())
        // Where the template's first pixel falls among the measured ones, if both are centred across the table.
        let centred = (measured.columns - detector.columns) / 2
        func consider(_ shift: SIMD2<Int>) {
            let score = Self.correlation(
                templateRoots, detector, roots, measured, heads: heads, shift: shift, leastRows: overlapRows)
            guard let score else { return }
            if score > (best?.score ?? -.infinity) { best = (score, shift) }
            alongTable[shift.y] = max(alongTable[shift.y] ?? -1, score)
        }
        for rowShift in stride(from: overlapRows - detector.rows, through: measured.rows - overlapRows, by: 2) {
            for columnShift in stride(from: centred - across, through: centred + across, by: 4) {
                consider(SIMD2(columnShift, rowShift))
            }
        }
        guard let coarse = best?.shift else { throw .noOverlap }
        for rowShift in coarse.y - 2...coarse.y + 2 {
            for columnShift in coarse.x - 4...coarse.x + 4 { consider(SIMD2(columnShift, rowShift)) }
        }
        guard let best, best.score > (isShort ? Self.shortCorrelationLimit : 0.3) else { throw .noOverlap }
        if isShort {
            let others = alongTable.filter {
                abs(Double($0.key - best.shift.y)) * measured.spacing.y > Self.otherPlace
            }
            guard others.allSatisfy({ $0.value < best.score - Self.lead }) else { throw .noOverlap }
        }
        // The measured pixel under the template's first one has the template's coordinates.
        offset = start - SIMD2(Double(best.shift.x), Double(best.shift.y)) * measured.spacing
        correlation = best.score
    }

    private static func correlation(
        _ template: [Float], _ templateGrid: DetectorGrid, _ measured: [Float], _ measuredGrid: DetectorGrid,
        heads: Int, shift: SIMD2<Int>, leastRows: Int
    ) -> Double? {
        let rows = max(0, -shift.y)..<min(templateGrid.rows, measuredGrid.rows - shift.y)
        let columns = max(0, -shift.x)..<min(templateGrid.columns, measuredGrid.columns - shift.x)
        guard rows.count >= leastRows, !columns.isEmpty else { return nil }
        var sums = (a: 0.0, b: 0.0, aa: 0.0, bb: 0.0, ab: 0.0, n: 0.0)
        for head in 0..<heads {
            for row in rows {
                let first = head * templateGrid.pixelCount + row * templateGrid.columns
                let second =
                    head * measuredGrid.pixelCount + (row + shift.y) * measuredGrid.columns + shift.x
                var line = (a: Float(0), b: Float(0), aa: Float(0), bb: Float(0), ab: Float(0))
                for column in columns {
                    let a = template[first + column]
                    let b = measured[second + column]
                    line.a += a
                    line.b += b
                    line.aa += a * a
                    line.bb += b * b
                    line.ab += a * b
                }
                sums.a += Double(line.a)
                sums.b += Double(line.b)
                sums.aa += Double(line.aa)
                sums.bb += Double(line.bb)
                sums.ab += Double(line.ab)
            }
        }
        sums.n = Double(heads * rows.count * columns.count)
        let covariance = sums.ab - sums.a * sums.b / sums.n
        let variances = (sums.aa - sums.a * sums.a / sums.n) * (sums.bb - sums.b * sums.b / sums.n)
        guard variances > 0 else { return nil }
        return covariance / variances.squareRoot()
    }
}
