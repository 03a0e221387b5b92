import Glibc

extension TimeActivityCurve {
    /// The curve that the samples speak for: with several of them the model with the smallest criterion, with one the
    /// half-life that is expected.
    ///
    /// A curve that would fall more slowly than the radionuclide decays is fitted again with the physical half-life,
    /// and says so.
    ///
    /// - Parameters:
    ///   - samples: in the order of their times.
    ///   - decayPerHour: physical decay constant.
    ///   - prior: expected effective half-life; with several samples it counts as one more.
    /// - Throws: ``DosimetryError``; ``DosimetryError/negativeFit`` when the activity does not fall.
    public init(
        fitting samples: [ActivitySample], decayPerHour: Double, prior: HalfLifePrior?
    ) throws(DosimetryError) {
        try ActivitySample.check(samples)
        guard samples.count > 1 else {
            guard let prior else { throw .halfLifeMissing }
            self = SingleTimeEstimate(sample: samples[0], prior: prior, decayPerHour: decayPerHour).curve
            return
        }
        let line = LogarithmicLine(samples)
        guard line.rate > 0 || prior != nil || samples.count >= Self.richSampleCount else { throw .negativeFit }
        let rate = max(line.rate, decayPerHour)
        var best: KineticFit?
        var candidates: [Candidate] = []
        for model in [KineticModel.monoExponential, .uptakeAndClearance, .biExponential] {
            // A model is a candidate when its criterion can be stated; the simplest one always is.
            guard model.model == .monoExponential || samples.count >= model.parameterCount + 2 else { continue }
            let fits = model.starts(amplitude: exp(line.intercept), rate: rate).compactMap {
                KineticFit(model, samples, prior: prior, start: $0)
            }
            if let reached = fits.compactMap(\.criterion).min() {
                candidates.append(Candidate(model: model.model, criterion: reached))
            }
            for fit in fits where best.map({ fit.isBetter(than: $0) }) ?? true { best = fit }
        }
        guard let best, best.integral > 0, best.integral.isFinite else { throw .negativeFit }
        var findings = prior.map { _ in ["half-life-prior-used"] } ?? []
        let slowest = exp(best.parameters[best.model.slowest])
        // Without a prior nothing but the samples holds the rate above nothing.
        guard prior != nil || slowest > decayPerHour * Self.impossibleRatePart else { throw .negativeFit }
        guard slowest < decayPerHour else {
            self.init(best, samples, candidates, findings)
            return
        }
        findings.append("no-clearance-seen")
        let start = best.parameters
        guard let bounded = KineticFit(best.model, samples, prior: nil, start: start, fixedRate: decayPerHour) else {
            throw .negativeFit
        }
        self.init(bounded, samples, candidates, findings)
    }

    /// From so many samples on a curve may rise at first.
    private static let richSampleCount = 5
    /// A fitted rate below this part of physical decay is no rounding of it.
    private static let impossibleRatePart = 0.1

    private init(
        _ fit: KineticFit, _ samples: [ActivitySample], _ candidates: [Candidate], _ findings: [String]
    ) {
        self.init(
            model: fit.model.model, terms: fit.model.terms(fit.parameters), samples: samples, integral: fit.integral,
            integralDeviation: fit.integralDeviation, covariance: fit.covariance, criterion: fit.criterion,
            candidates: candidates, findings: findings)
    }
}

extension KineticFit {
    fileprivate func isBetter(than other: KineticFit) -> Bool {
        guard let criterion else { return false }
        return other.criterion.map { criterion < $0 } ?? true
    }
}

/// The weighted straight line through the logarithms of samples.
private struct LogarithmicLine {
    let intercept, rate: Double

    init(_ samples: [ActivitySample]) {
        var (w, x, y, xx, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for sample in samples {
            let weight = (sample.value / sample.deviation) * (sample.value / sample.deviation)
            let value = log(sample.value)
            w += weight
            x += weight * sample.hours
            y += weight * value
            xx += weight * sample.hours * sample.hours
            xy += weight * sample.hours * value
        }
        let determinant = w * xx - x * x
        let slope = (w * xy - x * y) / determinant
        rate = -slope
        intercept = (y - slope * x) / w
    }
}
