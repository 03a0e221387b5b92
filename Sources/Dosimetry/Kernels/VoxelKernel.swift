import Glibc

/// The energy that a decay, anywhere in one voxel, leaves on the mean in the voxels around it.
///
/// The step from a point in one voxel to a point in another is spread by a triangle along each axis. Close by, spheres
/// around the decay are sampled by direction and each sample is shared between the eight voxels around it, which
/// integrates the triangles exactly and loses no energy; farther away a three-point rule per axis integrates the smooth
/// kernel of photons.
///
/// - Shape: `electrons` and `photons` are octants `[z, y, x]`, x fastest, from the voxel of the decay outwards; the
///   other octants mirror them.
/// - Units: keV per decay; spacing in millimetres.
public struct VoxelKernel: Equatable, Sendable {
    public struct Octant: Equatable, Sendable {
        /// Voxels along each axis from the centre, without it.
        public let reach: SIMD3<Int>
        public var values: [Double]

        public init(reach: SIMD3<Int>) {
            self.reach = reach
            values = Array(repeating: 0, count: (reach.x + 1) * (reach.y + 1) * (reach.z + 1))
        }

        public subscript(x: Int, y: Int, z: Int) -> Double {
            get { values[(z * (reach.y + 1) + y) * (reach.x + 1) + x] }
            set { values[(z * (reach.y + 1) + y) * (reach.x + 1) + x] = newValue }
        }

        /// Energy in all eight octants.
        public var total: Double {
            var sum = 0.0
            for z in 0...reach.z {
                for y in 0...reach.y {
                    for x in 0...reach.x {
                        sum += self[x, y, z] * (x > 0 ? 2 : 1) * (y > 0 ? 2 : 1) * (z > 0 ? 2 : 1)
                    }
                }
            }
            return sum
        }
    }

    public let radionuclide: String
    public let spacing: SIMD3<Double>
    public let electrons, photons: Octant
    /// Energy of photons that are absorbed farther away than the kernel reaches.
    public let photonEnergyBeyond: Double

    /// Half an edge of the cube of photons, in voxels.
    public static let photonReach = 25
    /// Voxels within which spheres are sampled.
    private static let nearReach = 2

    /// - Throws: ``DosimetryError/noKernel(_:)`` when nobody knows where the energy goes;
    ///   ``DosimetryError/impossibleSpacing``.
    public init(
        _ scheme: DecayScheme, spacing: SIMD3<Double>, photonReach: Int = Self.photonReach
    ) throws(DosimetryError) {
        if let gap = scheme.kernelGap { throw .noKernel(gap) }
        for axis in 0..<3 where !(spacing[axis].isFinite && spacing[axis] > 0) { throw .impossibleSpacing }
        precondition(photonReach >= Self.nearReach)
        radionuclide = scheme.name
        self.spacing = spacing
        let electronProfile = ElectronProfile(scheme)
        let width = SIMD3(
            (0..<3).map { Int((electronProfile.reachMillimetres / spacing[$0]).rounded(.down)) + 1 })
        var near = Octant(reach: width)
        for (step, energy) in electronProfile.energies.enumerated() where energy > 0 {
            near.addSphere(
                radius: (Double(step) + 0.5) * electronProfile.stepMillimetres, energy: energy, spacing: spacing)
        }
        electrons = near
        photons = Self.photonOctant(PhotonProfile(scheme), spacing: spacing, reach: photonReach)
        photonEnergyBeyond = scheme.photonEnergy - photons.total
    }

    /// Published voxel S-values have this unit.
    ///
    /// - Returns: mGy/(MBq s) for a density in g/mL.
    public func sValue(x: Int, y: Int, z: Int, density: Double = 1.04) -> Double {
        func value(_ octant: Octant) -> Double {
            x <= octant.reach.x && y <= octant.reach.y && z <= octant.reach.z ? octant[x, y, z] : 0
        }
        let kilograms = spacing.x * spacing.y * spacing.z * 1e-6 * density
        return (value(electrons) + value(photons)) * LocalDeposition.joulePerKiloelectronvolt * 1e6 / kilograms * 1e3
    }

    private static func photonOctant(_ profile: PhotonProfile, spacing: SIMD3<Double>, reach: Int) -> Octant {
        // Spheres out to the far corner of the voxels that are taken from them.
        var near = Octant(reach: SIMD3(repeating: 2 * nearReach + 4))
        let step = min(spacing.x, spacing.y, spacing.z) / 40
        let corner = spacing * Double(nearReach + 1)
        let farthest = (corner * corner).sum().squareRoot()
        for shell in 0..<Int((farthest / step).rounded(.up)) {
            let radius = (Double(shell) + 0.5) * step
            near.addSphere(
                radius: radius, energy: profile.energyPerMillimetre(at: radius) * step, spacing: spacing)
        }
        var octant = Octant(reach: SIMD3(repeating: reach))
        for z in 0...reach {
            for y in 0...reach {
                for x in 0...reach {
                    octant[x, y, z] =
                        max(x, y, z) <= nearReach
                        ? near[x, y, z] : farEnergy(profile, offset: SIMD3(Double(x), Double(y), Double(z)), spacing)
                }
            }
        }
        return octant
    }

    /// The mean of the point kernel over the triangles around an offset: three points per axis, exact to the fifth
    /// power.
    private static func farEnergy(
        _ profile: PhotonProfile, offset: SIMD3<Double>, _ spacing: SIMD3<Double>
    ) -> Double {
        let nodes: [(place: Double, weight: Double)] = [
            (-0.632_455_532_033_676, 5.0 / 24), (0, 7.0 / 12), (0.632_455_532_033_676, 5.0 / 24),
        ]
        var sum = 0.0
        for z in nodes {
            for y in nodes {
                for x in nodes {
                    let step = (offset + SIMD3(x.place, y.place, z.place)) * spacing
                    let square = (step * step).sum()
                    sum +=
                        x.weight * y.weight * z.weight * profile.energyPerMillimetre(at: square.squareRoot())
                        / (4 * .pi * square)
                }
            }
        }
        return sum * spacing.x * spacing.y * spacing.z
    }
}

extension VoxelKernel.Octant {
    private static let directionCount = 32

    /// Shares the energy of a sphere out: each direction's point goes to the eight voxels around it.
    ///
    /// What would land beyond the octant's reach is left out.
    fileprivate mutating func addSphere(radius: Double, energy: Double, spacing: SIMD3<Double>) {
        let count = Self.directionCount
        let share = energy / Double(count * count)
        for band in 0..<count {
            let cosine = (Double(band) + 0.5) / Double(count)
            let sine = (1 - cosine * cosine).squareRoot()
            for sector in 0..<count {
                let angle = (Double(sector) + 0.5) / Double(count) * .pi / 2
                let place = SIMD3(sine * cos(angle), sine * sin(angle), cosine) * radius / spacing
                let lower = SIMD3(Int(place.x), Int(place.y), Int(place.z))
                let part = place - SIMD3(Double(lower.x), Double(lower.y), Double(lower.z))
                for corner in 0..<8 {
                    let step = SIMD3(corner & 1, corner >> 1 & 1, corner >> 2 & 1)
                    let index = lower &+ step
                    guard index.x <= reach.x, index.y <= reach.y, index.z <= reach.z else { continue }
                    var weight = share
                    for axis in 0..<3 {
                        weight *= step[axis] == 1 ? part[axis] : 1 - part[axis]
                        // A plane of the octant's border is shared with its mirror image.
                        if index[axis] > 0 { weight /= 2 }
                    }
                    self[index.x, index.y, index.z] += weight
                }
            }
        }
    }
}
