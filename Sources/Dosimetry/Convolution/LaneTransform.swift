import Glibc

/// As many discrete Fourier transforms of one length at a time as a vector has lanes.
///
/// Stockham's self-sorting algorithm with radices 4, 2, 3 and 5: each pass reads one array and writes the other, and no
/// pass puts the result into order.
///
/// - Shape: real and imaginary parts apart, `length` vectors each.
/// - Source: Swarztrauber, Parallel Computing 1 (1984) 45.
struct LaneTransform {
    typealias Lanes = SIMD8<Float>
    static let laneCount = 8

    let length: Int
    private let passes: [Pass]

    private struct Pass {
        let radix: Int
        /// Length of what is still to be transformed, and how many of these lie interleaved.
        let length, stride: Int
        /// For every group the powers of its root of unity, without the first.
        let cosines, sines: [Float]
    }

    /// A transform pays with few and small factors.
    ///
    /// - Returns: the smallest length not below a minimum whose prime factors are 2, 3 and 5.
    static func length(atLeast minimum: Int) -> Int {
        var length = max(minimum, 2)
        while factors(of: length) == nil { length += 1 }
        return length
    }

    private static func factors(of length: Int) -> [Int]? {
        var rest = length
        var factors: [Int] = []
        for radix in [5, 3, 4, 2] {
            while rest % radix == 0 {
                factors.append(radix)
                rest /= radix
            }
        }
        return rest == 1 ? factors : nil
    }

    /// - Parameter length: one of ``length(atLeast:)``.
    init(length: Int) {
        guard let factors = Self.factors(of: length) else { preconditionFailure("the length has other factors") }
        self.length = length
        var passes: [Pass] = []
        var (rest, stride) = (length, 1)
        for radix in factors {
            var (cosines, sines): ([Float], [Float]) = ([], [])
            for group in 0..<rest / radix {
                for power in 1..<radix {
                    let angle = -2 * Double.pi * Double(group * power) / Double(rest)
                    cosines.append(Float(cos(angle)))
                    sines.append(Float(sin(angle)))
                }
            }
            passes.append(Pass(radix: radix, length: rest, stride: stride, cosines: cosines, sines: sines))
            rest /= radix
            stride *= radix
        }
        self.passes = passes
    }

    /// Transforms in place, with a second pair of arrays for the way. Real and imaginary parts exchanged make it the
    /// inverse, without its factor of one over the length.
    func callAsFunction(
        _ real: UnsafeMutablePointer<Lanes>, _ imaginary: UnsafeMutablePointer<Lanes>,
        scratch: (UnsafeMutablePointer<Lanes>, UnsafeMutablePointer<Lanes>)
    ) {
        var source = (real, imaginary)
        var target = scratch
        for pass in passes {
            pass.cosines.withUnsafeBufferPointer { cosines in
                pass.sines.withUnsafeBufferPointer { sines in
                    let roots = Roots(cosines: cosines.baseAddress!, sines: sines.baseAddress!)
                    switch pass.radix {
                    case 2: Self.two(pass, roots, source, target)
                    case 3: Self.three(pass, roots, source, target)
                    case 4: Self.four(pass, roots, source, target)
                    default: Self.five(pass, roots, source, target)
                    }
                }
            }
            swap(&source, &target)
        }
        if source.0 != real {
            real.update(from: source.0, count: length)
            imaginary.update(from: source.1, count: length)
        }
    }

    private typealias Arrays = (UnsafeMutablePointer<Lanes>, UnsafeMutablePointer<Lanes>)

    private struct Roots {
        let cosines, sines: UnsafePointer<Float>
    }

    @inline(__always)
    private static func put(
        _ real: Lanes, _ imaginary: Lanes, times root: Int, _ roots: Roots, at index: Int, _ target: Arrays
    ) {
        let (c, s) = (roots.cosines[root], roots.sines[root])
        target.0[index] = real * c - imaginary * s
        target.1[index] = real * s + imaginary * c
    }

    private static func two(_ pass: Pass, _ roots: Roots, _ source: Arrays, _ target: Arrays) {
        let (stride, groups) = (pass.stride, pass.length / 2)
        for group in 0..<groups {
            for lane in 0..<stride {
                let (i, o) = (group * stride + lane, 2 * group * stride + lane)
                let (ar, ai) = (source.0[i], source.1[i])
                let (br, bi) = (source.0[i + groups * stride], source.1[i + groups * stride])
                target.0[o] = ar + br
                target.1[o] = ai + bi
                put(ar - br, ai - bi, times: group, roots, at: o + stride, target)
            }
        }
    }

    private static func three(_ pass: Pass, _ roots: Roots, _ source: Arrays, _ target: Arrays) {
        let (stride, groups) = (pass.stride, pass.length / 3)
        let step = groups * stride
        let half: Float = 0.5
        let sine: Float = 0.866_025_403_784_438_6
        for group in 0..<groups {
            for lane in 0..<stride {
                let (i, o) = (group * stride + lane, 3 * group * stride + lane)
                let (sr, si) = (
                    source.0[i + step] + source.0[i + 2 * step], source.1[i + step] + source.1[i + 2 * step]
                )
                let dr = (source.0[i + step] - source.0[i + 2 * step]) * sine
                let di = (source.1[i + step] - source.1[i + 2 * step]) * sine
                let (mr, mi) = (source.0[i] - sr * half, source.1[i] - si * half)
                target.0[o] = source.0[i] + sr
                target.1[o] = source.1[i] + si
                put(mr + di, mi - dr, times: 2 * group, roots, at: o + stride, target)
                put(mr - di, mi + dr, times: 2 * group + 1, roots, at: o + 2 * stride, target)
            }
        }
    }

    private static func four(_ pass: Pass, _ roots: Roots, _ source: Arrays, _ target: Arrays) {
        let (stride, groups) = (pass.stride, pass.length / 4)
        let step = groups * stride
        for group in 0..<groups {
            for lane in 0..<stride {
                let (i, o) = (group * stride + lane, 4 * group * stride + lane)
                let (ar, ai) = (source.0[i], source.1[i])
                let (br, bi) = (source.0[i + step], source.1[i + step])
                let (cr, ci) = (source.0[i + 2 * step], source.1[i + 2 * step])
                let (dr, di) = (source.0[i + 3 * step], source.1[i + 3 * step])
                let (sr, si, tr, ti) = (ar + cr, ai + ci, ar - cr, ai - ci)
                let (ur, ui, vr, vi) = (br + dr, bi + di, br - dr, bi - di)
                target.0[o] = sr + ur
                target.1[o] = si + ui
                put(tr + vi, ti - vr, times: 3 * group, roots, at: o + stride, target)
                put(sr - ur, si - ui, times: 3 * group + 1, roots, at: o + 2 * stride, target)
                put(tr - vi, ti + vr, times: 3 * group + 2, roots, at: o + 3 * stride, target)
            }
        }
    }

    private static func five(_ pass: Pass, _ roots: Roots, _ source: Arrays, _ target: Arrays) {
        let (stride, groups) = (pass.stride, pass.length / 5)
        let step = groups * stride
        let (c1, s1): (Float, Float) = (0.309_016_994_374_947_4, 0.951_056_516_295_153_5)
        let (c2, s2): (Float, Float) = (-0.809_016_994_374_947_4, 0.587_785_252_292_473_1)
        for group in 0..<groups {
            for lane in 0..<stride {
                let (i, o) = (group * stride + lane, 5 * group * stride + lane)
                let (ar, ai) = (source.0[i], source.1[i])
                let (br, bi) = (source.0[i + step], source.1[i + step])
                let (er, ei) = (source.0[i + 4 * step], source.1[i + 4 * step])
                let (pr, pi, qr, qi) = (br + er, bi + ei, br - er, bi - ei)
                let (cr, ci) = (source.0[i + 2 * step], source.1[i + 2 * step])
                let (dr, di) = (source.0[i + 3 * step], source.1[i + 3 * step])
                let (ur, ui, vr, vi) = (cr + dr, ci + di, cr - dr, ci - di)
                let (mr, mi) = (ar + pr * c1 + ur * c2, ai + pi * c1 + ui * c2)
                let (nr, ni) = (ar + pr * c2 + ur * c1, ai + pi * c2 + ui * c1)
                let (xr, xi) = (qi * s1 + vi * s2, -(qr * s1 + vr * s2))
                let (yr, yi) = (qi * s2 - vi * s1, -(qr * s2 - vr * s1))
                target.0[o] = ar + pr + ur
                target.1[o] = ai + pi + ui
                put(mr + xr, mi + xi, times: 4 * group, roots, at: o + stride, target)
                put(nr + yr, ni + yi, times: 4 * group + 1, roots, at: o + 2 * stride, target)
                put(nr - yr, ni - yi, times: 4 * group + 2, roots, at: o + 3 * stride, target)
                put(mr - xr, mi - xi, times: 4 * group + 3, roots, at: o + 4 * stride, target)
            }
        }
    }
}
