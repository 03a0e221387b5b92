import Glibc
import Imaging

/// A smooth random field with mean one: a sum of eight waves, one in each lane.
///
/// - Units: wave vectors in radians per millimetre.
struct WaveField: Sendable {
    private var x = SIMD8<Double>(), y = SIMD8<Double>(), z = SIMD8<Double>(), phase = SIMD8<Double>()
    let amplitude: Double

    /// No place has less than this part of the mean.
    private static let least = 0.15

    init(deviation: Double, lengthMillimetres: Double, _ generator: inout SeededGenerator) {
        let wave = 2.2 / lengthMillimetres
        for lane in 0..<SIMD8<Double>.scalarCount {
            x[lane] = generator.normal(deviation: wave)
            y[lane] = generator.normal(deviation: wave)
            z[lane] = generator.normal(deviation: wave)
            phase[lane] = generator.uniform(0...(2 * .pi))
        }
        // Eight cosines of random phase have a variance of four.
        amplitude = deviation / 2
    }

    /// The field's values along x.
    func line(from start: SIMD3<Double>, step: Double) -> Line {
        var line = Line(amplitude: amplitude)
        let angle = x * start.x + y * start.y + z * start.z + phase
        for lane in 0..<SIMD8<Double>.scalarCount {
            (line.cosine[lane], line.sine[lane]) = (cos(angle[lane]), sin(angle[lane]))
            (line.turnCosine[lane], line.turnSine[lane]) = (cos(x[lane] * step), sin(x[lane] * step))
        }
        return line
    }

    /// Evenly spaced values; each step turns every wave by its own fixed angle.
    struct Line {
        fileprivate var cosine = SIMD8<Double>(), sine = SIMD8<Double>()
        fileprivate var turnCosine = SIMD8<Double>(), turnSine = SIMD8<Double>()
        fileprivate let amplitude: Double

        fileprivate init(amplitude: Double) { self.amplitude = amplitude }

        @inline(__always)
        mutating func next() -> Double {
            let value = max(1 + amplitude * cosine.sum(), WaveField.least)
            (cosine, sine) = (cosine * turnCosine - sine * turnSine, sine * turnCosine + cosine * turnSine)
            return value
        }
    }
}
