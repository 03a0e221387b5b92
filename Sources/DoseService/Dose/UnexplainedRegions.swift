import Anatomy
import Foundation
import Imaging

/// Activity that lies in no region of the anatomy, as regions of their own.
///
/// Every reconstruction finds such places anew: those of several times that lie near each other are one. A place is known,
/// a size is not: the sphere is as large as the blob that the reconstruction explains it with.
struct UnexplainedRegions {
    /// One place.
    struct Focus: Equatable {
        let name: String
        var position: SIMD3<Double>
        var depthDeviation: Double
        /// MBq and relative deviation by time point; nil where nothing was found.
        var activities: [(megabecquerel: Double, deviation: Double)?]

        static func == (left: Focus, right: Focus) -> Bool {
            left.name == right.name && left.position == right.position
        }
    }

    /// Places of two times in the image's plane that are no farther apart are one; in depth as far as it is known.
    static let sameMillimetres = 25.0
    /// About 4 mL, as the blobs of the search.
    static let radiusMillimetres = 10.0

    let foci: [Focus]

    init(_ points: [DoseInput.TimePoint]) {
        var foci: [Focus] = []
        for (time, point) in points.enumerated() {
            for found in point.summary?.unexplained ?? [] {
                guard let activity = found.activityMegabecquerel, activity > 0, found.positionMillimetres.count == 3
                else {
                    continue
                }
                let place = SIMD3(
                    found.positionMillimetres[0], found.positionMillimetres[1], found.positionMillimetres[2])
                let known = foci.firstIndex { focus in
                    focus.activities[time] == nil
                        && Self.isSame(focus, place, depthDeviation: found.depthDeviationMillimetres)
                }
                let amount = (megabecquerel: activity, deviation: found.deviationPercent / 100)
                if let known {
                    foci[known].activities[time] = amount
                    continue
                }
                var focus = Focus(
                    name: "unexplained-\(foci.count + 1)", position: place,
                    depthDeviation: found.depthDeviationMillimetres, activities: points.map { _ in nil })
                focus.activities[time] = amount
                foci.append(focus)
            }
        }
        self.foci = foci
    }

    private static func isSame(_ focus: Focus, _ place: SIMD3<Double>, depthDeviation: Double) -> Bool {
        let away = place - focus.position
        let deep = 2 * (focus.depthDeviation * focus.depthDeviation + depthDeviation * depthDeviation).squareRoot()
        return (away.x * away.x + away.z * away.z).squareRoot() <= sameMillimetres
            && abs(away.y) <= max(sameMillimetres, deep)
    }

    /// The anatomy's regions without what the foci take from them, after the foci.
    func added(to anatomy: PatientAnatomy) -> [Region] {
        var regions = anatomy.regions
        var own: [Region] = []
        for focus in foci {
            var sphere = Self.sphere(at: focus.position, in: anatomy)
            for other in own { sphere.remove(other.coverage) }
            guard sphere.voxels.contains(where: { $0 > 0 }) else { continue }
            for index in regions.indices {
                var coverage = regions[index].coverage
                coverage.remove(sphere)
                regions[index] = Region(
                    name: regions[index].name, organ: regions[index].organ, kind: regions[index].kind,
                    coverage: coverage)
            }
            own.append(Region(name: focus.name, organ: nil, kind: .lesion, coverage: sphere))
        }
        return own + regions
    }

    /// The part of every voxel of the body within the radius, by eight points in it.
    private static func sphere(at centre: SIMD3<Double>, in anatomy: PatientAnatomy) -> Volume<Float> {
        let grid = anatomy.grid
        var sphere = Volume<Float>(grid: grid, repeating: 0)
        let (middle, reach) = (grid.index(of: centre), SIMD3(repeating: radiusMillimetres) / grid.spacing + 1)
        func range(_ axis: Int, _ count: Int) -> Range<Int> {
            let first = max(0, Int((middle[axis] - reach[axis]).rounded(.down)))
            return first..<max(first, min(count, Int((middle[axis] + reach[axis]).rounded(.up)) + 1))
        }
        for z in range(2, grid.slices) {
            for y in range(1, grid.rows) {
                for x in range(0, grid.columns) where anatomy.body[x, y, z] {
                    var inside: Float = 0
                    for corner in 0..<8 {
                        let step = SIMD3(corner & 1, corner >> 1 & 1, corner >> 2 & 1)
                        let away =
                            grid.position(
                                x: Double(x) - 0.25 + 0.5 * Double(step.x), y: Double(y) - 0.25 + 0.5 * Double(step.y),
                                z: Double(z) - 0.25 + 0.5 * Double(step.z)) - centre
                        if (away * away).sum() <= radiusMillimetres * radiusMillimetres { inside += 0.125 }
                    }
                    sphere[x, y, z] = inside
                }
            }
        }
        return sphere
    }
}

extension Volume where Element == Float {
    /// Takes from every voxel the part that belongs to another region.
    fileprivate mutating func remove(_ other: Volume<Float>) {
        for voxel in voxels.indices where other.voxels[voxel] > 0 { voxels[voxel] *= 1 - other.voxels[voxel] }
    }
}
