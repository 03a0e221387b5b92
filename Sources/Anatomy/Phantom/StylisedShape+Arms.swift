extension StylisedShape {
    /// Both arms, bones before flesh: a chain of tapering limbs from the shoulder to the hand.
    ///
    /// - Parameter girth: of the trunk; the arms lie beside it with a little air between.
    static func arms(_ arms: Population.Arms, girth: SIMD2<Double>) -> [StylisedShape] {
        let side = 20 * girth.x
        let joints: [(place: SIMD3<Double>, radius: Double)]
        switch arms {
        case .absent: return []
        case .down:
            joints = [
                (SIMD3(side - 0.5, 1, 65), 4.8), (SIMD3(side + 5.2, 2, 36), 4.1), (SIMD3(side + 4.6, -2, 10), 3),
                (SIMD3(side + 4.2, -3, -6), 2.6),
            ]
        case .up:
            joints = [
                (SIMD3(side - 3, 1, 66), 4.8), (SIMD3(side - 1, -1, 95), 4.1), (SIMD3(8, -2, 112), 3),
                (SIMD3(-4, -3, 116), 2.6),
            ]
        }
        var bones: [StylisedShape] = []
        var flesh: [StylisedShape] = []
        for mirror in [1.0, -1.0] {
            for (from, to) in zip(joints, joints.dropFirst()) {
                let ends = [from, to].map { (SIMD3($0.place.x * mirror, $0.place.y, $0.place.z), $0.radius) }
                bones.append(limb(.bone, (ends[0].0, 1.2), (ends[1].0, 1)))
                flesh.append(limb(.remainder, ends[0], ends[1]))
            }
        }
        return bones + flesh
    }

    /// A tapering cylinder with round ends.
    private static func limb(
        _ organ: Organ, _ from: (SIMD3<Double>, radius: Double), _ to: (SIMD3<Double>, radius: Double)
    ) -> StylisedShape {
        let axis = to.0 - from.0
        let length = (axis * axis).sum()
        let widest = SIMD3(repeating: max(from.radius, to.radius))
        return StylisedShape(
            organ: organ, lower: pointwiseMin(from.0, to.0) - widest, upper: pointwiseMax(from.0, to.0) + widest
        ) { point in
            let part = min(max(((point - from.0) * axis).sum() / length, 0), 1)
            let away = point - from.0 - axis * part
            let radius = from.radius + part * (to.radius - from.radius)
            return (away * away).sum() <= radius * radius
        }
    }
}
