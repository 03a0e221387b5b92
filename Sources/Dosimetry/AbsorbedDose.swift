public import Imaging

/// Absorbed dose from the decays in every voxel.
///
/// - Units: Gy; energies of the balance in J.
public struct AbsorbedDose: Sendable {
    public enum Method: String, Sendable, Codable, CaseIterable {
        /// Convolution with voxel kernels of electrons and photons; the electrons' part scaled by 1.04 over the
        /// density.
        case voxelKernel = "voxel-kernel"
        /// All charged energy in the voxel of the decay, photons left out.
        case localDeposition = "local-deposition"
    }

    /// Where the energy of all decays went.
    ///
    /// In a medium of the kernel's density everywhere: the density correction is not part of it.
    public struct EnergyBalance: Equatable, Sendable {
        public let emitted, absorbed: Double
        /// Absorbed farther away than the kernel reaches.
        public let beyondKernel: Double
        /// Absorbed within the kernel's reach and outside the grid.
        public var beyondGrid: Double { emitted - absorbed - beyondKernel }
    }

    public let volume: Volume<Float>
    public let method: Method
    public let balance: EnergyBalance
}

/// Computes absorbed dose on one grid; kernels and their spectra are made once.
public struct DoseCalculator: Sendable {
    /// Below this density, in g/mL, there is no tissue and no dose.
    public static let airDensity: Float = 0.05

    public let scheme: DecayScheme
    public let grid: VoxelGrid
    public let method: AbsorbedDose.Method
    private let kernel: VoxelKernel?
    private let electrons, photons: KernelConvolution?

    /// - Parameter photonReach: half an edge of the cube of photons, in voxels.
    /// - Throws: ``DosimetryError/noKernel(_:)`` when the method needs a kernel that nobody has.
    public init(
        _ scheme: DecayScheme, grid: VoxelGrid, method: AbsorbedDose.Method = .voxelKernel,
        photonReach: Int = VoxelKernel.photonReach
    ) throws(DosimetryError) {
        (self.scheme, self.grid, self.method) = (scheme, grid, method)
        guard method == .voxelKernel else {
            (kernel, electrons, photons) = (nil, nil, nil)
            return
        }
        let kernel = try VoxelKernel(scheme, spacing: grid.spacing, photonReach: photonReach)
        let size = SIMD3(grid.columns, grid.rows, grid.slices)
        self.kernel = kernel
        electrons = KernelConvolution(size: size, kernel: kernel.electrons)
        photons = scheme.photons.isEmpty ? nil : KernelConvolution(size: size, kernel: kernel.photons)
    }

    /// - Parameters:
    ///   - integrated: decays of each voxel as its activity summed over time, in MBq h/mL.
    ///   - density: in g/mL, on the same grid.
    /// - Throws: ``DosimetryError/gridMismatch``, ``DosimetryError/notAnActivity(voxel:)``.
    public func dose(
        integrated: Volume<Float>, density: Volume<Float>
    ) throws(DosimetryError) -> AbsorbedDose {
        guard integrated.grid == grid, density.grid == grid else { throw .gridMismatch }
        if let bad = integrated.voxels.firstIndex(where: { !$0.isFinite || $0 < 0 }) {
            throw .notAnActivity(voxel: bad)
        }
        let decays = integrated.voxels.reduce(0) { $0 + Double($1) } * decaysPerUnit
        guard let kernel, let electrons else { return local(integrated, density, decays: decays) }
        let electronEnergy = electrons(integrated.voxels)
        let photonEnergy = photons?(integrated.voxels)
        // keV per voxel and unit of integrated activity, to Gy at a density of 1 g/mL.
        let toGray = decaysPerUnit * LocalDeposition.joulePerKiloelectronvolt / (grid.voxelMillilitres * 1e-3)
        let photonsToGray = Float(toGray / ElectronProfile.density)
        let electronsToGray = Float(toGray)
        var dose = Volume<Float>(grid: grid, repeating: 0)
        var energy = 0.0
        for voxel in dose.voxels.indices {
            // The transforms' rounding may leave a little less than nothing.
            let (charged, photon) = (electronEnergy[voxel], max(photonEnergy?[voxel] ?? 0, 0))
            energy += Double(charged + photon)
            guard density.voxels[voxel] > Self.airDensity else { continue }
            dose.voxels[voxel] = max(charged, 0) * electronsToGray / density.voxels[voxel] + photon * photonsToGray
        }
        let joule = LocalDeposition.joulePerKiloelectronvolt
        return AbsorbedDose(
            volume: dose, method: method,
            balance: .init(
                emitted: decays * (scheme.chargedEnergy + scheme.photonEnergy) * joule,
                absorbed: energy * decaysPerUnit * joule, beyondKernel: decays * kernel.photonEnergyBeyond * joule))
    }

    private func local(_ integrated: Volume<Float>, _ density: Volume<Float>, decays: Double) -> AbsorbedDose {
        let factor = Float(LocalDeposition(scheme).graysPerMegabecquerelHourPerGram)
        var dose = integrated
        for voxel in dose.voxels.indices {
            let grams = density.voxels[voxel]
            dose.voxels[voxel] = grams > Self.airDensity ? integrated.voxels[voxel] * factor / grams : 0
        }
        let joule = LocalDeposition.joulePerKiloelectronvolt
        return AbsorbedDose(
            volume: dose, method: method,
            balance: .init(
                emitted: decays * (scheme.chargedEnergy + scheme.photonEnergy) * joule,
                absorbed: decays * scheme.chargedEnergy * joule, beyondKernel: decays * scheme.photonEnergy * joule))
    }

    /// Decays in a voxel for each MBq h/mL.
    private var decaysPerUnit: Double { grid.voxelMillilitres * 1e6 * LocalDeposition.secondsPerHour }
}
