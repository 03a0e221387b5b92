import Imaging
import Tomography

/// A few steps of Poisson expectation maximisation that pull a map towards the counts and hold it near an anchor.
///
/// `x <- (x A'[n / (A x + S)] + w s a) / ((1 + w) s)` with the sensitivity `s = A'1`: the maximum a posteriori step for a
/// gamma prior that counts the anchor `a` as `w` measurements more. Negative numbers cannot arise.
///
/// - Source: Shepp, Vardi, IEEE Trans. Med. Imaging 1 (1982) 113; Lange, Bahn, Little, ibid. 6 (1987) 106 for the prior.
struct AnchoredMaximisation: Sendable {
    private let scan: PlanarScan
    private let sensitivity: [Float]
    private let leastSensitivity: Float

    init(_ scan: PlanarScan) {
        self.scan = scan
        sensitivity = scan.projector.adjoint([Float](repeating: 1, count: scan.counts.count))
        leastSensitivity = (sensitivity.max() ?? 1) * 1e-6
    }

    /// - Parameters:
    ///   - anchor: the map that is pulled, not negative; zero stays zero.
    ///   - weight: how many times the counts the anchor counts.
    func pulled(_ anchor: [Float], weight: Float, steps: Int) -> [Float] {
        var map = anchor
        for _ in 0..<steps {
            let expected = scan.projector.forward(map)
            let ratio = expected.indices.map {
                scan.counts[$0] / max(expected[$0] + scan.scatter[$0], PixelTrust.expectedFloor)
            }
            let update = scan.projector.adjoint(ratio)
            for voxel in map.indices where sensitivity[voxel] > leastSensitivity {
                let own = sensitivity[voxel]
                map[voxel] = (map[voxel] * update[voxel] + weight * own * anchor[voxel]) / ((1 + weight) * own)
            }
        }
        return map
    }

    /// The even concentration of the body that gives as many counts as were counted.
    static func unit(of scan: PlanarScan, body: [Float]) -> Float {
        let even = scan.projector.forward(body).reduce(0) { $0 + Double($1) }
        let counted = zip(scan.counts, scan.scatter).reduce(0) { $0 + Double($1.0 - $1.1) }
        return even > 0 && counted > 0 ? Float(counted / even) : 1
    }
}
