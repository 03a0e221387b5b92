import Glibc
import Imaging
package import Tomography

/// The photons that a paralysable camera misses at high rates: of a true rate `n` it counts `n exp(-n tau)`.
///
/// - Units: seconds; counts per second.
/// - Source: Sorenson, J. Nucl. Med. 16 (1975) 284, paralysable model.
package struct DeadTime {
    let seconds: Double
    let axialFieldMillimetres: Double

    package init(site: CameraSite) {
        seconds = (site.deadTimeMicroseconds ?? 0) * 1e-6
        axialFieldMillimetres = site.fieldOfViewMillimetres.count == 2 ? site.fieldOfViewMillimetres[1] : 400
    }

    /// The true rate's counted part, from the counted rate. Beyond the largest rate that such a camera can count,
    /// `1 / (e tau)`, the part at that rate is returned.
    package func liveFraction(observedRate: Double) -> Double {
        guard seconds > 0, observedRate > 0 else { return 1 }
        let observed = min(observedRate * seconds, exp(-1))
        // x exp(-x) = observed, on the branch below one, by Newton's method.
        var x = observed
        for _ in 0..<50 {
            let slope = (1 - x) * exp(-x)
            guard slope > 1e-9 else { break }
            let step = (x * exp(-x) - observed) / slope
            x = min(max(x - step, 0), 1)
            if abs(step) < 1e-12 { break }
        }
        return exp(-x)
    }

    /// The counted part of true expected counts, as ``liveFraction(of:binnedTo:)`` has it of counted ones.
    ///
    /// - Shape: `[z, x]` on `detector`.
    func liveFraction(ofTrue counts: [Float], on detector: DetectorGrid, dwellSeconds: Double) -> [Float] {
        fieldCounts(counts, columns: detector.columns, rows: detector.rows, pixel: detector.spacing.y).flatMap {
            Array(repeating: Float(exp(-$0 / dwellSeconds * seconds)), count: detector.columns)
        }
    }

    /// The counted part at every pixel. Each point of a long image was seen while the field of view passed over it: its
    /// rate is that of a field's length around it.
    ///
    /// - Shape: `[z, x]` on `detector`.
    func liveFraction(of view: PlanarView, binnedTo detector: DetectorGrid) -> [Float] {
        guard seconds > 0, view.dwellSeconds > 0 else { return Array(repeating: 1, count: detector.pixelCount) }
        let counts = fieldCounts(view.counts, columns: view.columns, rows: view.rows, pixel: view.spacing.y)
        let factor = max(1, view.rows / detector.rows)
        return (0..<detector.rows).flatMap { row in
            let centre = min(row * factor + factor / 2, view.rows - 1)
            let live = Float(liveFraction(observedRate: counts[centre] / view.dwellSeconds))
            return Array(repeating: live, count: detector.columns)
        }
    }

    /// Counts within a field's length around each row.
    private func fieldCounts(_ counts: [Float], columns: Int, rows: Int, pixel: Double) -> [Double] {
        var sums = [0.0]
        for row in 0..<rows {
            let line = counts[row * columns..<(row + 1) * columns].reduce(0.0) { $0 + Double($1) }
            sums.append(sums[row] + line)
        }
        let half = max(1, Int(axialFieldMillimetres / pixel / 2))
        return (0..<rows).map { sums[min($0 + half, rows)] - sums[max($0 - half, 0)] }
    }
}
