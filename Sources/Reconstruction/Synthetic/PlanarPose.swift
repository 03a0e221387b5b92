import Glibc
import Imaging

/// Where a planar image lies in the CT's frame: a point `p = (x, z)` of the patient appears in the image's own
/// coordinates at `c + R (p - c) - offset`, with `c` the pivot and `R` the rotation that turns +x towards +z.
///
/// - Units: millimetres; degrees.
public struct PlanarPose: Equatable, Sendable {
    public let offset: SIMD2<Double>
    public let degrees: Double
    public let pivot: SIMD2<Double>

    public init(offset: SIMD2<Double>, degrees: Double = 0, pivot: SIMD2<Double> = .zero) {
        (self.offset, self.degrees, self.pivot) = (offset, degrees, pivot)
    }

    public func imagePosition(ofPatient point: SIMD2<Double>) -> SIMD2<Double> {
        pivot + rotated(point - pivot, by: degrees) - offset
    }

    public func patientPosition(ofImage point: SIMD2<Double>) -> SIMD2<Double> {
        pivot + rotated(point + offset - pivot, by: -degrees)
    }

    private func rotated(_ arm: SIMD2<Double>, by degrees: Double) -> SIMD2<Double> {
        let angle = degrees * .pi / 180
        return SIMD2(arm.x * cos(angle) - arm.y * sin(angle), arm.x * sin(angle) + arm.y * cos(angle))
    }
}
