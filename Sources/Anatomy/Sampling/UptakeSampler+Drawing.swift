import Glibc
import Imaging

extension UptakeSampler {
    /// The numbers of a seed's map, without making it.
    public func draw(seed: UInt64) -> UptakeDraw {
        func generator(_ purpose: String) -> SeededGenerator { SeededGenerator(seed: seed, purpose: purpose) }
        let (common, levels) = drawLevels(generator("levels"))
        var draw = UptakeDraw(
            commonFactor: common, levels: levels, pose: drawPose(generator("pose")),
            shifts: drawShifts(generator("organ-motion")), bending: drawBending(generator("bending")),
            textures: drawTextures(seed), foci: [], lostLesions: [])
        loseLesions(&draw, generator("lost-lesions"))
        draw.foci = drawFoci(draw, generator("foci")) + drawInjection(draw, generator("injection"))
        return draw
    }

    /// Left and right of one organ, by their common name.
    private static let pairs: [Organ: String] = [
        .kidneyLeft: "kidney", .kidneyRight: "kidney", .parotidLeft: "parotid", .parotidRight: "parotid",
        .submandibularLeft: "submandibular", .submandibularRight: "submandibular", .lacrimalLeft: "lacrimal",
        .lacrimalRight: "lacrimal",
    ]

    /// `ln(s / median)` is normal. Lesions share the tumour load `T`; pairs share their organ's number, which follows
    /// `T` with the sink's correlation.
    private func drawLevels(_ start: SeededGenerator) -> (common: Double, levels: [Double]) {
        guard let spread = world.levels else { return (1, medianLevels) }
        var generator = start
        let common = exp(generator.normal(deviation: spread.commonDeviation))
        let load = generator.normal(deviation: 1)
        func mixed(_ shared: Double, _ correlation: Double, _ own: Double) -> Double {
            correlation * shared + (1 - correlation * correlation).squareRoot() * own
        }
        var pairs: [String: Double] = [:]
        for name in Set(Self.pairs.values).sorted() {
            pairs[name] = mixed(load, spread.tumourSinkCorrelation, generator.normal(deviation: 1))
        }
        let levels = templates.indices.map { index in
            let template = templates[index]
            let own = generator.normal(deviation: 1)
            let (deviation, standard): (Double, Double) =
                switch (template.kind, template.organ) {
                case (.lesion, _): (spread.lesionDeviation, mixed(load, spread.lesionCorrelation.squareRoot(), own))
                case (.background, _): (spread.backgroundDeviation, own)
                case (_, .bladder), (_, .smallIntestine): (spread.contentDeviation, own)
                case (_, let organ?):
                    if let name = Self.pairs[organ], let shared = pairs[name] {
                        (spread.organDeviation, mixed(shared, spread.pairCorrelation.squareRoot(), own))
                    } else {
                        (spread.organDeviation, own)
                    }
                default: (spread.organDeviation, own)
                }
            return medianLevels[index] * common * exp(deviation * standard)
        }
        return (common, levels)
    }

    private func drawPose(_ start: SeededGenerator) -> RigidPose {
        guard let pose = world.pose else { return .identity }
        var generator = start
        return RigidPose(
            rotationDegrees: Self.normal(pose.rotationDegrees, &generator),
            translation: Self.normal(pose.translation, &generator))
    }

    private func drawShifts(_ start: SeededGenerator) -> [SIMD3<Double>] {
        guard let motion = world.organMotion else { return templates.map { _ in .zero } }
        var generator = start
        let breath = Self.normal(motion.deviation, &generator) * motion.breathingShare.squareRoot()
        let own = templates.map { _ in Self.normal(motion.deviation, &generator) }
        func shift(_ index: Int) -> SIMD3<Double> {
            switch templates[index].motion {
            case .fixed: .zero
            case .still: own[index] * motion.stillShare
            case .breathing: breath + own[index] * (1 - motion.breathingShare).squareRoot()
            case .follows(let host): shift(host)
            }
        }
        return templates.indices.map(shift)
    }

    private func drawBending(_ start: SeededGenerator) -> UptakeDraw.Field? {
        var generator = start
        return world.bending.map {
            UptakeDraw.Field(deviation: $0.deviation, length: $0.length, seed: generator.next())
        }
    }

    private func drawTextures(_ seed: UInt64) -> [UptakeDraw.Texture] {
        var kept = SeededGenerator(seed: seed, purpose: "pet-texture")
        var uneven = SeededGenerator(seed: seed, purpose: "unevenness")
        var layers = SeededGenerator(seed: seed, purpose: "kidney-layers")
        // Both kidneys of a patient are alike.
        let ratio = world.kidneyLayers.map { layers.uniform($0.ratio.lower...$0.ratio.upper) } ?? 1
        return templates.map { template in
            var texture = UptakeDraw.Texture()
            texture.keepsPET = kept.uniform(0...1) < world.petTexture?.probability ?? 0
            if let unevenness = world.unevenness {
                texture.unevenness = UptakeDraw.Field(
                    deviation: uneven.uniform(unevenness.deviation.lower...unevenness.deviation.upper),
                    length: uneven.uniform(unevenness.length.lower...unevenness.length.upper), seed: uneven.next())
            }
            if !template.medulla.isEmpty, !texture.keepsPET { texture.cortexToMedulla = ratio }
            return texture
        }
    }

    private func loseLesions(_ draw: inout UptakeDraw, _ start: SeededGenerator) {
        guard let lost = world.lostLesions else { return }
        var generator = start
        for (index, template) in templates.enumerated() where template.kind == .lesion {
            let isLost = generator.uniform(0...1) < lost.probability
            guard isLost, let host = template.host else { continue }
            draw.levels[index] = draw.levels[host]
            draw.lostLesions.append(index)
        }
    }

    private func drawFoci(_ draw: UptakeDraw, _ start: SeededGenerator) -> [UptakeDraw.Focus] {
        guard let foci = world.newFoci else { return [] }
        var generator = start
        let reference = focusReference * draw.commonFactor * foci.relativeLevel
        return (0..<generator.poisson(mean: foci.meanCount)).compactMap { _ in
            let inBone = generator.uniform(0...1) < foci.boneProbability
            let millilitres = Self.logUniform(foci.millilitres, &generator)
            let level = generator.logNormal(median: reference, deviation: foci.levelDeviation)
            let axes = Self.semiAxes(millilitres, &generator)
            let place = generator.next()
            let choices = inBone ? sites.bone : sites.nodes
            guard !choices.isEmpty else { return nil }
            return UptakeDraw.Focus(
                kind: inBone ? .bone : .node, centre: position(of: choices[Int(place % UInt64(choices.count))]),
                semiAxes: axes, concentration: level)
        }
    }

    private func drawInjection(_ draw: UptakeDraw, _ start: SeededGenerator) -> [UptakeDraw.Focus] {
        guard let spot = world.injectionSpot else { return [] }
        var generator = start
        guard generator.uniform(0...1) < spot.probability, !sites.sides.isEmpty else { return [] }
        let millilitres = Self.logUniform(spot.millilitres, &generator)
        let share = Self.logUniform(spot.share, &generator)
        let axes = Self.semiAxes(millilitres, &generator)
        let side = sites.sides[Int(generator.next() % UInt64(sites.sides.count))]
        let isLeft = generator.uniform(0...1) < 0.5
        // Its outer half would lie in the air.
        let inward = SIMD3(isLeft ? -axes.x : axes.x, 0, 0)
        return [
            UptakeDraw.Focus(
                kind: .injection, centre: position(of: isLeft ? side.left : side.right) + inward, semiAxes: axes,
                concentration: share * world.totalMegabecquerels * 1e6 * draw.commonFactor / millilitres)
        ]
    }

    /// What lesions of this patient hold, or kidneys when there are none, or the hottest region.
    private var focusReference: Double {
        func mean(_ belongs: (RegionTemplate) -> Bool) -> Double? {
            let chosen = zip(templates, medianLevels).filter { belongs($0.0) }.map(\.1)
            return chosen.isEmpty ? nil : chosen.reduce(0, +) / Double(chosen.count)
        }
        return mean { $0.kind == .lesion } ?? mean { !$0.medulla.isEmpty } ?? medianLevels.max() ?? 0
    }

    private func position(of voxel: Int) -> SIMD3<Double> {
        grid.position(
            x: Double(voxel % grid.columns), y: Double(voxel / grid.columns % grid.rows),
            z: Double(voxel / (grid.columns * grid.rows)))
    }

    private static func normal(_ deviation: SIMD3<Double>, _ generator: inout SeededGenerator) -> SIMD3<Double> {
        SIMD3(
            generator.normal(deviation: deviation.x), generator.normal(deviation: deviation.y),
            generator.normal(deviation: deviation.z))
    }

    private static func logUniform(_ bounds: UptakeWorld.Bounds, _ generator: inout SeededGenerator) -> Double {
        exp(generator.uniform(log(bounds.lower)...log(bounds.upper)))
    }

    /// An ellipsoid of a volume, a little longer in one direction than in another.
    private static func semiAxes(_ millilitres: Double, _ generator: inout SeededGenerator) -> SIMD3<Double> {
        let ratios = SIMD3(
            generator.logNormal(median: 1, deviation: 0.2), generator.logNormal(median: 1, deviation: 0.2),
            generator.logNormal(median: 1, deviation: 0.2))
        let radius = cbrt(millilitres * 1000 * 3 / (4 * .pi))
        return ratios * radius / cbrt(ratios.x * ratios.y * ratios.z)
    }
}
