/// What one decay of a radionuclide gives off, as far as dose in tissue is concerned.
///
/// - Units: energies in keV, yields per decay, half-life in hours.
public struct DecayScheme: Equatable, Sendable {
    /// A branch of beta decay, of either sign.
    public struct Beta: Equatable, Sendable {
        public let endpoint, mean, yield: Double
        /// Mean energy over that of an allowed spectrum with the same endpoint; not 1 for a forbidden decay.
        public let spectrumRatio: Double

        init(_ endpoint: Double, mean: Double, yield: Double, spectrumRatio: Double = 1) {
            (self.endpoint, self.mean, self.yield, self.spectrumRatio) = (endpoint, mean, yield, spectrumRatio)
        }
    }

    /// Electrons or photons of one energy.
    public struct Line: Equatable, Sendable {
        public let energy, yield: Double

        init(_ energy: Double, _ yield: Double) { (self.energy, self.yield) = (energy, yield) }
    }

    /// Why there is no kernel for a radionuclide although its energies are known.
    public enum KernelGap: String, Equatable, Sendable {
        /// Recoil frees the daughters from their carrier, and where they decay is not known from an image of the
        /// parent.
        case daughtersLeave = "daughters-leave-the-site"
    }

    /// Mass number and element symbol, as in `177Lu`.
    public let name: String
    public let halfLifeHours: Double
    public let betas: [Beta]
    /// Conversion electrons that leave the point of decay.
    public let electrons: [Line]
    /// Electrons of a few keV, which stay where they start.
    public let localElectronEnergy: Double
    /// Alpha particles, of the daughters too when they are in equilibrium.
    public let alphaEnergy: Double
    public let photons: [Line]
    public let kernelGap: KernelGap?

    init(
        _ name: String, halfLifeHours: Double, betas: [Beta], electrons: [Line] = [], localElectronEnergy: Double = 0,
        alphaEnergy: Double = 0, photons: [Line] = [], kernelGap: KernelGap? = nil
    ) {
        (self.name, self.halfLifeHours, self.betas) = (name, halfLifeHours, betas)
        (self.electrons, self.localElectronEnergy, self.alphaEnergy) = (electrons, localElectronEnergy, alphaEnergy)
        (self.photons, self.kernelGap) = (photons, kernelGap)
    }

    /// Energy of all charged particles per decay.
    public var chargedEnergy: Double {
        betas.reduce(0) { $0 + $1.mean * $1.yield } + electrons.reduce(0) { $0 + $1.energy * $1.yield }
            + localElectronEnergy + alphaEnergy
    }

    /// Energy of all photons per decay.
    public var photonEnergy: Double { photons.reduce(0) { $0 + $1.energy * $1.yield } }

    /// Physical decay constant in 1/h.
    public var decayPerHour: Double { 0.693_147_180_559_945_3 / halfLifeHours }

    /// - Throws: ``DosimetryError/unknownRadionuclide``.
    public static func named(_ name: String) throws(DosimetryError) -> DecayScheme {
        guard let scheme = known.first(where: { $0.name == name }) else { throw .unknownRadionuclide }
        return scheme
    }
}

// MARK: - The radionuclides
extension DecayScheme {
    public static let known = [lutetium177, iodine131, yttrium90, technetium99m, gallium68, actinium225]

    /// - Source: ICRP Publication 107: 133 keV of beta, 13.5 of conversion and 1.3 of Auger electrons; half-life and
    ///   the two main photons as in `Radionuclide.lutetium177`.
    public static let lutetium177 = DecayScheme(
        "177Lu", halfLifeHours: 6.647 * 24,
        betas: [
            Beta(498.3, mean: 149.1, yield: 0.786), Beta(385.4, mean: 111.4, yield: 0.0908),
            Beta(248.6, mean: 78.4, yield: 0.0005), Beta(177.0, mean: 47.3, yield: 0.122),
        ],
        electrons: [
            Line(47.6, 0.0536), Line(102.3, 0.0714), Line(110.7, 0.0181), Line(112.5, 0.0046), Line(143.0, 0.0060),
            Line(197.7, 0.0013),
        ], localElectronEnergy: 1.29,
        photons: [
            Line(208.37, 0.1038), Line(112.95, 0.0620), Line(321.32, 0.0022), Line(249.67, 0.0020),
            Line(71.64, 0.0017), Line(55.79, 0.0275), Line(54.61, 0.0158), Line(63.2, 0.0116), Line(8.1, 0.031),
        ])

    /// - Source: ICRP Publication 107: 182 keV of beta and 10 of other electrons.
    public static let iodine131 = DecayScheme(
        "131I", halfLifeHours: 8.0252 * 24,
        betas: [
            Beta(606.3, mean: 191.6, yield: 0.896), Beta(333.8, mean: 96.6, yield: 0.0723),
            Beta(247.9, mean: 69.4, yield: 0.0208), Beta(303.9, mean: 86.9, yield: 0.0064),
            Beta(806.9, mean: 283.2, yield: 0.0048),
        ],
        electrons: [
            Line(45.6, 0.0355), Line(74.7, 0.0047), Line(249.7, 0.0025), Line(329.9, 0.0155), Line(359.0, 0.0025),
        ], localElectronEnergy: 1.4,
        photons: [
            Line(364.49, 0.812), Line(636.99, 0.0726), Line(284.31, 0.0606), Line(722.91, 0.0180),
            Line(80.19, 0.0261), Line(502.9, 0.0036), Line(325.8, 0.0025), Line(29.6, 0.0399), Line(33.9, 0.0085),
        ])

    /// Bremsstrahlung, less than one percent of the energy, is left out.
    ///
    /// - Source: ICRP Publication 107. The spectrum is that of a unique first forbidden decay.
    public static let yttrium90 = DecayScheme(
        "90Y", halfLifeHours: 64.05, betas: [Beta(2278.7, mean: 926.7, yield: 0.9998, spectrumRatio: 1.17)])

    /// - Source: ICRP Publication 107: 16.2 keV of electrons.
    public static let technetium99m = DecayScheme(
        "99mTc", halfLifeHours: 6.0067, betas: [],
        electrons: [Line(119.5, 0.0880), Line(121.6, 0.0055), Line(137.5, 0.0107), Line(140.0, 0.0023)],
        localElectronEnergy: 3.2,
        photons: [Line(140.51, 0.885), Line(18.3, 0.0613), Line(20.6, 0.0121)])

    /// - Source: ICRP Publication 107.
    public static let gallium68 = DecayScheme(
        "68Ga", halfLifeHours: 67.71 / 60,
        betas: [Beta(1899.1, mean: 836.0, yield: 0.8794), Beta(821.7, mean: 352.6, yield: 0.0119)],
        photons: [Line(510.999, 1.7826), Line(1077.3, 0.0322), Line(1883.2, 0.0014)])

    /// With 221Fr, 217At, 213Bi, 213Po and 209Pb in equilibrium at the place of the parent.
    ///
    /// - Source: ICRP Publication 107: 27.4 MeV of alpha particles and 0.65 MeV of electrons in the chain.
    public static let actinium225 = DecayScheme(
        "225Ac", halfLifeHours: 10.0 * 24, betas: [], localElectronEnergy: 650, alphaEnergy: 27_400,
        photons: [Line(440.5, 0.259), Line(218.1, 0.114)], kernelGap: .daughtersLeave)
}
