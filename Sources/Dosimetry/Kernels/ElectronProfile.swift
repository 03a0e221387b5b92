import Glibc

/// Where the energy of a decay's electrons goes: how much of it at which distance.
///
/// Beta particles follow Loevinger's point kernel, cut at the range of the most energetic of them and scaled so that it
/// holds their mean energy. Conversion electrons leave their energy evenly from the point of decay to their range.
///
/// - Shape: `energies[n]` lies between `n` and `n + 1` steps from the decay.
/// - Units: keV per decay; millimetres.
/// - Source: Loevinger, Radiology 66 (1956) 55; Loevinger, Japha, Brownell in Hine, Brownell, Radiation Dosimetry
///   (1956), chapter 16: `J(x) ~ { c [1 - x/c e^(1-x/c)] + x e^(1-x) } / x²`, `x = nu rho r`, the bracket nothing for
///   `x > c`, `nu = 18.6 / (E0 - 0.036)^1.37 (2 - E/E*) cm²/g`. Range: Katz, Penfold, Rev. Mod. Phys. 24 (1952) 28.
struct ElectronProfile {
    let stepMillimetres: Double
    private(set) var energies: [Double]

    /// Soft tissue, in g/mL.
    static let density = 1.04
    private static let stepCount = 1200

    init(_ scheme: DecayScheme) {
        let reach =
            (scheme.betas.map { Self.range($0.endpoint) } + scheme.electrons.map { Self.range($0.energy) }).max() ?? 0
        // Without any electron that moves the profile is a point.
        stepMillimetres = max(reach, 0.01) / Double(Self.stepCount)
        energies = Array(repeating: 0, count: Self.stepCount)
        for beta in scheme.betas { add(beta) }
        for line in scheme.electrons {
            let steps = max(1, Int(Self.range(line.energy) / stepMillimetres))
            for step in 0..<steps { energies[step] += line.energy * line.yield / Double(steps) }
        }
        energies[0] += scheme.localElectronEnergy + scheme.alphaEnergy
    }

    var reachMillimetres: Double { Double(energies.count) * stepMillimetres }

    private mutating func add(_ beta: DecayScheme.Beta) {
        let endpoint = beta.endpoint / 1000
        // Per millimetre of tissue.
        let nu = 18.6 / pow(endpoint - 0.036, 1.37) * (2 - beta.spectrumRatio) * Self.density / 10
        let c: Double = endpoint < 0.17 ? 3 : endpoint < 0.5 ? 2 : endpoint < 1.5 ? 1.5 : 1
        let steps = min(energies.count, max(1, Int(Self.range(beta.endpoint) / stepMillimetres)))
        var weights = (0..<steps).map { step in
            let x = nu * (Double(step) + 0.5) * stepMillimetres
            let near = x < c ? c * (1 - x / c * exp(1 - x / c)) : 0
            // Times the area of the sphere, which is as x²: what is left is energy per distance.
            return near + x * exp(1 - x)
        }
        let sum = weights.reduce(0, +)
        for step in 0..<steps {
            weights[step] *= beta.mean * beta.yield / sum
            energies[step] += weights[step]
        }
    }

    /// The longest way of an electron in tissue, in millimetres.
    ///
    /// - Source: Katz, Penfold: `0.412 E^(1.265 - 0.0954 ln E)` g/cm², E in MeV, up to 2.5 MeV.
    static func range(_ kiloelectronvolts: Double) -> Double {
        let energy = kiloelectronvolts / 1000
        return 0.412 * pow(energy, 1.265 - 0.0954 * log(energy)) / density * 10
    }
}
