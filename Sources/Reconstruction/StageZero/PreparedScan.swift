import Anatomy
import Imaging
import Tomography

/// A planar scan laid over its patient: where every reconstruction starts.
package struct PreparedScan {
    let anatomy: PatientAnatomy
    /// The pixels that see the anatomy.
    let measurement: PlanarMeasurement
    let attenuation: [Double: Volume<Float>]
    let registration: PlanarRegistration
    /// Mean PET concentration of each region, and the factor from there to this scan's activity.
    let levels: [Double]
    let scale: Double

    /// The projector on the measured pixels at the registration's place.
    func projector() throws(ReconstructionError) -> OpposedViewProjector {
        do {
            return try OpposedViewProjector(
                heads: measurement.heads.map { $0.with(detector: $0.detector.moved(by: registration.offset)) },
                attenuation: attenuation)
        } catch { throw .tomography }
    }
}
