import Imaging

/// The body shared out among regions that do not overlap: contours, uptake that no contour holds, and what is left to
/// lungs, bone and the remainder by density.
struct RegionPartition {
    /// Lesions first, then organs, then the background.
    private(set) var regions: [Region] = []
    private(set) var findings: [String] = []

    private let grid: VoxelGrid
    /// The part of each voxel that no region has yet.
    private var free: [Float]

    /// - Parameter ct: on voxels of its own, in HU.
    init(_ contours: [PatientAnatomy.Contour], body: Volume<Bool>, ct: Volume<Float>, pet: Volume<Float>) {
        grid = body.grid
        free = body.voxels.map { $0 ? Float(1) : 0 }
        takeContours(contours)
        let hasContours = !regions.isEmpty
        if !hasContours { findings.append("no-contours") }
        regions.sort { ($0.kind == .lesion ? 0 : 1, $0.name) < ($1.kind == .lesion ? 0 : 1, $1.name) }
        takeUptake(pet: pet, body: body)
        takeTissues(ct, inside: body)
    }

    /// Smaller contours before larger ones.
    private mutating func takeContours(_ contours: [PatientAnatomy.Contour]) {
        let bySize = contours.map { ($0.name, $0.coverage(grid)) }
            .map { ($0.0, $0.1, $0.1.voxels.reduce(0, +)) }.sorted { $0.2 < $1.2 }
        for (name, coverage, _) in bySize {
            let organ = Organ(contourName: name)
            if organ == .lungs || organ == .bone || organ == .remainder { continue }
            let own = take { coverage.voxels[$0] }
            guard let own else {
                findings.append("contour-outside-body")
                continue
            }
            regions.append(
                Region(
                    name: organ?.rawValue ?? Self.identifier(name), organ: organ, kind: organ == nil ? .lesion : .organ,
                    coverage: own))
        }
    }

    /// Up to this volume uptake is a lesion, or a gland that behaves like one: an unknown that nothing is known of.
    private static let lesionMillilitres = 40.0
    /// A contour's uptake is seen this many voxels beyond it.
    private static let contourMargin = 2

    private mutating func takeUptake(pet: Volume<Float>, body: Volume<Bool>) {
        // Where a reader has drawn what matters, only what plainly stands out is added: not the bones, for instance.
        var parameters = UptakeSegmentation.Parameters()
        if !regions.isEmpty { (parameters.summitOverBody, parameters.contrast) = (6, 3) }
        let uptake = UptakeSegmentation(
            pet: pet, body: body,
            places: .init(allowed: free.map { $0 >= 0.5 }, summits: voxelsAwayFromRegions()), parameters: parameters)
        if !regions.isEmpty, !uptake.regions.isEmpty { findings.append("uptake-outside-contours") }
        for (index, found) in uptake.regions.enumerated() {
            let members = Set(found.voxels)
            guard let own = take({ members.contains($0) ? 1 : 0 }) else { continue }
            let region = Region(
                name: "uptake-\(index + 1)", organ: nil,
                kind: found.millilitres <= Self.lesionMillilitres ? .lesion : .organ, coverage: own)
            let place = region.kind == .lesion ? regions.firstIndex { $0.kind != .lesion } : nil
            regions.insert(region, at: place ?? regions.count)
        }
    }

    private func voxelsAwayFromRegions() -> [Bool] {
        var isNear = [Bool](repeating: false, count: free.count)
        for region in regions {
            for voxel in isNear.indices where region.coverage.voxels[voxel] > 0 { isNear[voxel] = true }
        }
        for _ in 0..<Self.contourMargin {
            let before = isNear
            for voxel in before.indices where before[voxel] {
                BodyOutline.forEachNeighbour(of: voxel, grid) { isNear[$0] = true }
            }
        }
        return isNear.map { !$0 }
    }

    /// HU below and above which the CT's voxels are lung and bone.
    private static let lungLimit: Float = -400
    private static let boneLimit: Float = 180

    /// The CT's own voxels decide: ribs and vertebrae's shells are thinner than the grid's.
    private mutating func takeTissues(_ ct: Volume<Float>, inside body: Volume<Bool>) {
        let bone = ct.map { $0 > Self.boneLimit ? Float(1) : 0 }.averaged(on: grid)
        var lungs = ct.map { $0 < Self.lungLimit ? Float(1) : 0 }.averaged(on: grid)
        for voxel in lungs.voxels.indices where body.voxels[voxel] && lungs.voxels[voxel] > 0 {
            // Air around the body is no lung.
            BodyOutline.forEachNeighbour(of: voxel, grid) { if !body.voxels[$0] { lungs.voxels[voxel] = 0 } }
        }
        for (organ, part) in [(Organ.lungs, lungs), (.bone, bone)] {
            takeBackground(organ) { part.voxels[$0] }
        }
        takeBackground(.remainder) { _ in 1 }
    }

    private mutating func takeBackground(_ organ: Organ, _ part: (Int) -> Float) {
        guard let own = take(part) else { return }
        regions.append(Region(name: organ.rawValue, organ: organ, kind: .background, coverage: own))
    }

    /// What is still free of a wanted part of each voxel; nil when nothing is.
    private mutating func take(_ wanted: (Int) -> Float) -> Volume<Float>? {
        var own = Volume<Float>(grid: grid, repeating: 0)
        var isEmpty = true
        for voxel in free.indices where free[voxel] > 0 {
            let part = min(max(wanted(voxel), 0), free[voxel])
            guard part > 0 else { continue }
            own.voxels[voxel] = part
            free[voxel] -= part
            isEmpty = false
        }
        return isEmpty ? nil : own
    }

    /// A contour's name as an identifier: lower case letters, digits, single underscores.
    private static func identifier(_ name: String) -> String {
        let kept = name.lowercased().unicodeScalars.map { scalar -> Character in
            ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) ? Character(scalar) : "_"
        }
        let joined = String(kept).split(separator: "_").joined(separator: "_")
        return joined.isEmpty ? "region" : joined
    }
}
