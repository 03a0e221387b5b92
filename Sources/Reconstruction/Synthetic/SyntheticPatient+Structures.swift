import Anatomy
public import Imaging

extension SyntheticPatient {
    /// Masks of organs and lesions as the CT's contours have them, each on a box of the CT's voxels, by name.
    public func masks() -> [(name: String, mask: Volume<Bool>)] { Self.masks(of: labels, lesionNames) }

    private static func masks(
        of labels: Volume<StructureLabel>, _ lesionNames: [String]
    ) -> [(name: String, mask: Volume<Bool>)] {
        let boxes = labels.boxes()
        var masks: [(name: String, mask: Volume<Bool>)] = []
        func append(_ name: String, _ members: [StructureLabel]) {
            let found = members.compactMap { boxes[$0] }
            guard let first = found.first else { return }
            let box = found.dropFirst().reduce(first) { $0.union($1) }
            if let mask = labels.mask(box, { members.contains($0) }) { masks.append((name, mask)) }
        }
        for organ in Organ.allCases where ![.lungs, .bone, .remainder].contains(organ) {
            append(organ.rawValue, [.organ(organ), .medulla(organ)])
        }
        for (index, name) in lesionNames.enumerated() { append(name, [.lesion(index)]) }
        return masks
    }

    /// The therapy's decays of all times in the CT's frame, every structure where the CT has it: what a dose calculation
    /// from scans at several times is to find.
    ///
    /// - Units: MBq h/mL.
    public func integratedTruth() -> Volume<Float> {
        let uptake = UptakePair(
            seed: recipe.seed, lesions: laterPhantom.lesions, seenCount: phantom.lesions.count,
            texture: recipe.texture, change: recipe.change)
        return uptake.therapy.integrated(clearance).activity(of: labels).map { $0 * 1e-6 }
    }

    func contours() -> [PatientAnatomy.Contour] {
        masks().map { PatientAnatomy.Contour(name: $0.name, mask: $0.mask) }
    }

    /// What nobody has: the anatomy as a PET/CT and contours at the time of the planar scan would give it, every structure where
    /// it is then and no lesion unseen. Levels and unevenness are those of the PET; lesions that it did not show have a typical one.
    ///
    /// - Throws: ``AnatomyError``.
    func laterAnatomy(spacing: Double) throws -> PatientAnatomy {
        let uptake = UptakePair(
            seed: recipe.seed, lesions: laterPhantom.lesions, seenCount: phantom.lesions.count,
            texture: recipe.texture, change: recipe.change)
        let later = laterPhantom.labels(on: labels.grid)
        let petLabels = laterPhantom.labels(on: try Self.petGrid())
        var activity = uptake.pet.activity(of: petLabels)
        for voxel in petLabels.voxels.indices {
            guard let lesion = petLabels.voxels[voxel].lesion, lesion >= phantom.lesions.count else { continue }
            let around = uptake.pet.concentrations[laterPhantom.lesions[lesion].surroundings] ?? 0
            activity.voxels[voxel] = Float(around * Self.typicalContrast)
        }
        let masks = Self.masks(of: later, laterPhantom.lesions.map(\.name))
        return try PatientAnatomy(
            hounsfield: Self.noisyCT(StylisedPhantom.hounsfield(of: later), seed: recipe.seed),
            pet: Self.blurredPET(activity, seed: recipe.seed),
            contours: masks.map { PatientAnatomy.Contour(name: $0.name, mask: $0.mask) }, spacing: spacing)
    }

    /// Of a lesion to its surroundings.
    private static let typicalContrast = 25.0

    /// What one structure amounts to.
    struct Content {
        /// How many voxels it fills, parts counted as such.
        var voxels = 0.0
        var activity = 0.0
        /// Sum of the indices of the voxels, or of their parts.
        var moment = SIMD3<Double>()
    }

    /// The activity at points within each voxel of a grid, as voxels that much finer.
    ///
    /// - Parameters:
    ///   - ct: only what lies in its slices counts as content: nothing else can be in a map.
    ///   - points: along each axis of a voxel.
    static func sampled(
        _ phantom: StylisedPhantom, _ uptake: UptakePattern, within grid: VoxelGrid, ct: VoxelGrid, points: Int
    ) throws(ImagingError) -> (activity: Volume<Float>, contents: [StructureLabel: Content]) {
        let fine = try VoxelGrid(
            columns: grid.columns * points, rows: grid.rows * points, slices: grid.slices * points,
            spacing: grid.spacing / Double(points), origin: grid.origin - grid.spacing * (0.5 - 0.5 / Double(points)))
        var activity = Volume<Float>(grid: fine, repeating: 0)
        var contents: [StructureLabel: Content] = [:]
        let weight = 1 / Double(points * points * points)
        for z in 0..<points {
            for y in 0..<points {
                for x in 0..<points {
                    let first = fine.position(x: Double(x), y: Double(y), z: Double(z))
                    let moved = try VoxelGrid(
                        columns: grid.columns, rows: grid.rows, slices: grid.slices, spacing: grid.spacing,
                        origin: first)
                    let labels = phantom.labels(on: moved)
                    let part = uptake.activity(of: labels)
                    activity.interleave(part, every: points, from: (x, y, z))
                    add(
                        part, labels, at: (first - grid.origin) / grid.spacing, weight: weight, within: ct,
                        to: &contents)
                }
            }
        }
        return (activity, contents)
    }

    private static func add(
        _ activity: Volume<Float>, _ labels: Volume<StructureLabel>, at shift: SIMD3<Double>, weight: Double,
        within ct: VoxelGrid, to contents: inout [StructureLabel: Content]
    ) {
        let half = ct.spacing.z / 2
        let seen = ct.origin.z - half...ct.position(x: 0, y: 0, z: Double(ct.slices - 1)).z + half
        labels.forEachRun { label, run, y, z in
            guard label != .air, seen.contains(labels.grid.position(x: 0, y: 0, z: Double(z)).z) else { return }
            let start = labels.grid.offset(x: 0, y: y, z: z)
            var sum = 0.0
            for x in run { sum += Double(activity.voxels[start + x]) }
            let middle = SIMD3(Double(run.lowerBound + run.upperBound - 1) / 2, Double(y), Double(z))
            let voxels = weight * Double(run.count)
            contents[label, default: Content()].voxels += voxels
            contents[label, default: Content()].activity += weight * sum
            contents[label, default: Content()].moment += (middle + shift) * voxels
        }
    }
}

extension Volume where Element == Float {
    /// Takes another volume's voxels as every n-th along each axis.
    fileprivate mutating func interleave(_ other: Self, every step: Int, from first: (x: Int, y: Int, z: Int)) {
        for z in 0..<other.grid.slices {
            for y in 0..<other.grid.rows {
                let source = other.grid.offset(x: 0, y: y, z: z)
                let target = grid.offset(x: first.x, y: first.y + step * y, z: first.z + step * z)
                for x in 0..<other.grid.columns { voxels[target + step * x] = other.voxels[source + x] }
            }
        }
    }
}

/// The corners of a box of voxels, both inside.
private struct VoxelBox {
    var lower, upper: SIMD3<Int>

    func union(_ other: VoxelBox) -> VoxelBox {
        VoxelBox(lower: pointwiseMin(lower, other.lower), upper: pointwiseMax(upper, other.upper))
    }
}

extension Volume where Element == StructureLabel {
    /// Every run of voxels of one label along x.
    fileprivate func forEachRun(_ body: (_ label: StructureLabel, _ run: Range<Int>, _ y: Int, _ z: Int) -> Void) {
        for z in 0..<grid.slices {
            for y in 0..<grid.rows {
                let row = grid.offset(x: 0, y: y, z: z)
                var start = 0
                while start < grid.columns {
                    let label = voxels[row + start]
                    var end = start + 1
                    while end < grid.columns, voxels[row + end] == label { end += 1 }
                    body(label, start..<end, y, z)
                    start = end
                }
            }
        }
    }

    fileprivate func boxes() -> [StructureLabel: VoxelBox] {
        var boxes: [StructureLabel: VoxelBox] = [:]
        forEachRun { label, run, y, z in
            let box = VoxelBox(lower: SIMD3(run.lowerBound, y, z), upper: SIMD3(run.upperBound - 1, y, z))
            boxes[label] = boxes[label]?.union(box) ?? box
        }
        return boxes
    }

    fileprivate func mask(_ box: VoxelBox, _ isInside: (StructureLabel) -> Bool) -> Volume<Bool>? {
        let size = box.upper &- box.lower &+ 1
        let first = grid.position(x: Double(box.lower.x), y: Double(box.lower.y), z: Double(box.lower.z))
        guard
            let target = try? VoxelGrid(
                columns: size.x, rows: size.y, slices: size.z, spacing: grid.spacing, origin: first)
        else { return nil }
        var mask = Volume<Bool>(grid: target, repeating: false)
        for z in 0..<size.z {
            for y in 0..<size.y {
                let row = grid.offset(x: box.lower.x, y: box.lower.y + y, z: box.lower.z + z)
                for x in 0..<size.x where isInside(voxels[row + x]) { mask[x, y, z] = true }
            }
        }
        return mask
    }
}
