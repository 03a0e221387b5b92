public import Imaging

/// Whether lesions that neither PET nor contours showed stand out in a map, and what else does.
///
/// A spot is a local maximum among 26 neighbours, outside organs, of at least four times the median of what lies 20 to 30 mm around
/// it. A lesion is found when there is a spot within 15 mm of its centre. A spot that far from all that stands out in the
/// truth by half as much, lesion or not, is a false one.
///
/// - Units: millimetres.
public struct LesionDetection: Sendable, Equatable, Codable {
    /// Of at least 3 mL and ten times their surroundings.
    public let lesions: Int
    public let found: Int
    public let falseSpots: Int

    enum CodingKeys: String, CodingKey {
        case lesions, found
        case falseSpots = "false"
    }

    private static let reach = 15.0
    private static let shell = 20.0...30.0
    private static let contrast: Float = 4
    private static let leastMillilitres = 3.0
    private static let leastTrueContrast: Float = 10

    /// - Parameters:
    ///   - organs: what PET or contours showed, lesions among them.
    ///   - lesions: all that hold activity; `isSought` for those that nothing showed.
    public init(
        _ map: Volume<Float>, truth: Volume<Float>, body: Volume<Bool>, organs: Volume<Bool>,
        lesions: [(centre: SIMD3<Double>, millilitres: Double, isSought: Bool)]
    ) {
        let places = (0..<map.voxels.count).map { body.voxels[$0] && !organs.voxels[$0] }
        let spots = Self.spots(map, places, contrast: Self.contrast)
        let real = Self.spots(truth, places, contrast: Self.contrast / 2) + lesions.map(\.centre)
        func near(_ first: SIMD3<Double>, _ second: SIMD3<Double>) -> Bool {
            let way = first - second
            return (way * way).sum() <= Self.reach * Self.reach
        }
        let sought = lesions.filter { lesion in
            lesion.isSought && lesion.millilitres >= Self.leastMillilitres
                && Self.stands(truth, lesion.centre, places, contrast: Self.leastTrueContrast)
        }
        self.lesions = sought.count
        found = sought.filter { lesion in spots.contains { near($0, lesion.centre) } }.count
        falseSpots = spots.filter { spot in !real.contains { near(spot, $0) } }.count
    }

    private static func spots(_ map: Volume<Float>, _ places: [Bool], contrast: Float) -> [SIMD3<Double>] {
        let grid = map.grid
        var spots: [SIMD3<Double>] = []
        for z in 1..<max(grid.slices - 1, 1) {
            for y in 1..<max(grid.rows - 1, 1) {
                for x in 1..<max(grid.columns - 1, 1) where places[grid.offset(x: x, y: y, z: z)] {
                    guard isSummit(map, x, y, z) else { continue }
                    let centre = grid.position(x: Double(x), y: Double(y), z: Double(z))
                    if stands(map, centre, places, contrast: contrast) { spots.append(centre) }
                }
            }
        }
        return spots
    }

    private static func isSummit(_ map: Volume<Float>, _ x: Int, _ y: Int, _ z: Int) -> Bool {
        let own = map.grid.offset(x: x, y: y, z: z)
        let value = map.voxels[own]
        guard value > 0 else { return false }
        for nextZ in z - 1...z + 1 {
            for nextY in y - 1...y + 1 {
                for nextX in x - 1...x + 1 {
                    let other = map.grid.offset(x: nextX, y: nextY, z: nextZ)
                    // Of equal neighbours the last one is the summit.
                    if map.voxels[other] > value || (map.voxels[other] == value && other > own) { return false }
                }
            }
        }
        return true
    }

    /// Whether the highest voxel beside a place is so many times what lies around it.
    private static func stands(
        _ map: Volume<Float>, _ centre: SIMD3<Double>, _ places: [Bool], contrast: Float
    ) -> Bool {
        let grid = map.grid
        let index = grid.index(of: centre)
        let extent = (SIMD3(repeating: shell.upperBound) / grid.spacing).rounded(.up)
        var top: Float = 0
        var around: [Float] = []
        func range(_ axis: Int, _ count: Int) -> ClosedRange<Int> {
            let middle = Int(index[axis].rounded())
            return max(middle - Int(extent[axis]), 0)...max(min(middle + Int(extent[axis]), count - 1), 0)
        }
        for z in range(2, grid.slices) {
            for y in range(1, grid.rows) {
                for x in range(0, grid.columns) {
                    let voxel = grid.offset(x: x, y: y, z: z)
                    guard places[voxel] else { continue }
                    let way = grid.position(x: Double(x), y: Double(y), z: Double(z)) - centre
                    let distance = (way * way).sum().squareRoot()
                    if shell.contains(distance) { around.append(map.voxels[voxel]) }
                    if distance <= grid.spacing.max() { top = max(top, map.voxels[voxel]) }
                }
            }
        }
        guard around.count >= 20 else { return false }
        around.sort()
        return top >= contrast * around[around.count / 2]
    }
}
