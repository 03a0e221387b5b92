public import Imaging

/// How much of a region receives at least a dose.
///
/// - Units: Gy, mL.
public struct DoseVolumeHistogram: Equatable, Sendable {
    /// Doses from the highest to the lowest, and the volume that receives at least as much.
    private let doses: [Double]
    private let volumes: [Double]
    public let mean: Double
    public let millilitres: Double

    /// - Parameter coverage: the part of each voxel that lies in the region, on the grid of the dose.
    /// - Throws: ``DosimetryError/gridMismatch``; ``DosimetryError/massMissing`` when the region has no volume.
    public init(dose: Volume<Float>, coverage: Volume<Float>) throws(DosimetryError) {
        guard dose.grid == coverage.grid else { throw .gridMismatch }
        let members = coverage.voxels.indices.filter { coverage.voxels[$0] > 0 }
            .sorted { dose.voxels[$0] > dose.voxels[$1] }
        guard !members.isEmpty else { throw .massMissing }
        var (sum, weighted) = (0.0, 0.0)
        let voxel = dose.grid.voxelMillilitres
        volumes = members.map { index in
            let volume = Double(coverage.voxels[index]) * voxel
            sum += volume
            weighted += volume * Double(dose.voxels[index])
            return sum
        }
        doses = members.map { Double(dose.voxels[$0]) }
        (millilitres, mean) = (sum, weighted / sum)
    }

    public var maximum: Double { doses[0] }
    public var minimum: Double { doses[doses.count - 1] }

    /// The dose that the given part of the volume receives at least, such as D98 for 98.
    public func dose(toPercent percent: Double) -> Double {
        let wanted = percent / 100 * millilitres
        return doses[volumes.firstIndex { $0 >= wanted * (1 - 1e-9) } ?? doses.count - 1]
    }

    /// The volume that receives at least a dose.
    public func millilitres(above dose: Double) -> Double {
        // The first of the falling doses that is too small.
        var (low, high) = (0, doses.count)
        while low < high {
            let middle = (low + high) / 2
            if doses[middle] >= dose { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? 0 : volumes[low - 1]
    }

    /// Volumes above the doses 0, width, 2 width, and so on until none is left.
    public func cumulative(binCount: Int) -> (width: Double, millilitres: [Double]) {
        let width = maximum > 0 ? maximum / Double(binCount) : 1
        return (width, (0...binCount).map { millilitres(above: Double($0) * width) })
    }
}
