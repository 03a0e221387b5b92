/// One solid of the stylised phantom.
///
/// - Units: centimetres; +x patient left, +y posterior, +z head, z = 0 at the trunk's base.
struct StylisedShape: Sendable {
    let organ: Organ
    /// Corners of a box that holds the solid.
    let lower, upper: SIMD3<Double>
    let contains: @Sendable (SIMD3<Double>) -> Bool

    var centre: SIMD3<Double> { (lower + upper) / 2 }

    static func ellipsoid(
        _ organ: Organ, centre: SIMD3<Double>, axes: SIMD3<Double>,
        where condition: @escaping @Sendable (SIMD3<Double>) -> Bool = { _ in true }
    ) -> StylisedShape {
        StylisedShape(organ: organ, lower: centre - axes, upper: centre + axes) { point in
            let scaled = (point - centre) / axes
            return (scaled * scaled).sum() <= 1 && condition(point)
        }
    }

    /// The organs of the adult phantom, the first that contains a point has it.
    ///
    /// - Source: Cristy, Eckerman, ORNL/TM-8381 volume 1, adult; salivary and lacrimal glands are additions.
    static let adult: [StylisedShape] =
        glands + [
            .ellipsoid(.kidneyLeft, centre: SIMD3(6, 6, 32.5), axes: SIMD3(4.5, 1.5, 5.5)) { $0.x >= 3 },
            .ellipsoid(.kidneyRight, centre: SIMD3(-6, 6, 32.5), axes: SIMD3(4.5, 1.5, 5.5)) { $0.x <= -3 },
            .ellipsoid(.spleen, centre: SIMD3(11, 3, 37), axes: SIMD3(3.5, 2, 6)),
            .ellipsoid(.pancreas, centre: SIMD3(-1, 0, 37), axes: SIMD3(16, 1.2, 3.3)) {
                $0.x >= -1 && ($0.x <= 3 || $0.z >= 37)
            },
            StylisedShape(organ: .liver, lower: SIMD3(-16.5, -8, 27), upper: SIMD3(16.5, 8, 43)) { point in
                let inCylinder = square(point.x / 16.5) + square(point.y / 8) <= 1
                return inCylinder && point.x / 35 + point.y / 45 - point.z / 43 <= -1
            },
            .ellipsoid(.bladder, centre: SIMD3(0, -4.5, 8), axes: SIMD3(4.706, 3.206, 3.206)),
            .ellipsoid(.stomach, centre: SIMD3(8, -4, 35), axes: SIMD3(4, 3, 8)),
            StylisedShape(organ: .smallIntestine, lower: SIMD3(-11.3, -4.86, 17), upper: SIMD3(11.3, 2.2, 27)) {
                square($0.x) + square($0.y) <= square(11.3)
            },
            lung(8.5), lung(-8.5),
        ] + bones

    private static let glands: [StylisedShape] = [
        .ellipsoid(.lacrimalLeft, centre: SIMD3(4, -7.5, 84), axes: SIMD3(repeating: 0.55)),
        .ellipsoid(.lacrimalRight, centre: SIMD3(-4, -7.5, 84), axes: SIMD3(repeating: 0.55)),
        .ellipsoid(.parotidLeft, centre: SIMD3(5.2, 1, 77), axes: SIMD3(1.2, 1.6, 3)),
        .ellipsoid(.parotidRight, centre: SIMD3(-5.2, 1, 77), axes: SIMD3(1.2, 1.6, 3)),
        .ellipsoid(.submandibularLeft, centre: SIMD3(3, -4, 72), axes: SIMD3(repeating: 1.3)),
        .ellipsoid(.submandibularRight, centre: SIMD3(-3, -4, 72), axes: SIMD3(repeating: 1.3)),
    ]

    private static let bones: [StylisedShape] = [
        StylisedShape(organ: .bone, lower: SIMD3(-2, 3, 22), upper: SIMD3(2, 8, 78.5)) {
            square($0.x / 2) + square(($0.y - 5.5) / 2.5) <= 1
        },
        StylisedShape(organ: .bone, lower: SIMD3(-12, -3, 0), upper: SIMD3(12, 9, 22)) { point in
            let inOuter = square(point.x / 12) + square((point.y + 3) / 12) <= 1
            let outsideInner = square(point.x / 11.3) + square((point.y + 3.8) / 11.3) > 1
            return inOuter && outsideInner && (point.z > 14 || point.y <= 5)
        },
        StylisedShape(organ: .bone, lower: SIMD3(-17, -9.8, 35.1), upper: SIMD3(17, 9.8, 67.3)) { point in
            let inOuter = square(point.x / 17) + square(point.y / 9.8) <= 1
            let outsideInner = square(point.x / 16.5) + square(point.y / 9.3) > 1
            return inOuter && outsideInner && (point.z - 35.1).truncatingRemainder(dividingBy: 2.8) <= 1.4
        },
        // The skull: a shell under the outline of the head.
        StylisedShape(organ: .bone, lower: SIMD3(-6.6, -9.6, 80), upper: SIMD3(6.6, 9.6, 93.5)) { point in
            let height = max(point.z - 85.5, 0)
            let inOuter = square(point.x / 6.6) + square(point.y / 9.6) + square(height / 8) <= 1
            return inOuter && square(point.x / 6) + square(point.y / 9) + square(height / 7.4) > 1
        },
    ]

    private static func lung(_ x: Double) -> StylisedShape {
        .ellipsoid(.lungs, centre: SIMD3(x, 0, 43.5), axes: SIMD3(5, 7.5, 24)) { $0.z >= 43.5 }
    }

    /// Trunk, head and legs.
    ///
    /// - Parameter girth: size of trunk and legs across and in depth, in units of the adult's.
    static func isInBody(_ point: SIMD3<Double>, girth: SIMD2<Double> = SIMD2(repeating: 1)) -> Bool {
        if point.z > 70 {
            return square(point.x / 7) + square(point.y / 10) + square(max(point.z - 85.5, 0) / 8.5) <= 1
        }
        let slim = SIMD2(point.x, point.y) / girth
        if point.z >= 0 { return square(slim.x / 20) + square(slim.y / 10) <= 1 }
        return point.z >= -80 && square(slim.x) + square(slim.y) <= abs(slim.x) * (20 + point.z / 5)
    }

    private static func square(_ value: Double) -> Double { value * value }
}
