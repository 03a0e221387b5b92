import Glibc

/// The dose that a region gives to itself, as if it were a sphere of its mass: an organ S-value without a phantom, to
/// hold against what the voxels say.
///
/// - Units: Gy for MBq h and g.
/// - Source: MIRD formalism (Bolch 2009). The mean part of the points at distance r from a point of a sphere of
///   radius R that also lie in it is `1 - 3r/4R + r³/16R³`.
public struct SphereDose: Sendable {
    public let scheme: DecayScheme
    private let photons: PhotonProfile

    public init(_ scheme: DecayScheme) {
        self.scheme = scheme
        photons = PhotonProfile(scheme)
    }

    /// Gy per MBq h.
    public func sValue(grams: Double) -> Double {
        let radius = pow(3 * grams / ElectronProfile.density * 1000 / (4 * .pi), 1.0 / 3)
        let step = 2 * radius / 200
        var photonEnergy = 0.0
        for index in 0..<200 {
            let r = (Double(index) + 0.5) * step
            let x = r / radius
            photonEnergy += photons.energyPerMillimetre(at: r) * step * (1 - 0.75 * x + x * x * x / 16)
        }
        let energy = scheme.chargedEnergy + photonEnergy
        return energy * LocalDeposition.joulePerKiloelectronvolt * 1e6 * LocalDeposition.secondsPerHour
            / (grams * 1e-3)
    }
}
