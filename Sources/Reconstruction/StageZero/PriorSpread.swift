import Glibc

/// How far a patient's places and uptake within regions may differ from the template, as parts of what is usual: the counts
/// tell.
///
/// A group of parameters with the prior covariance `a^2 C` is found at `v` with the posterior covariance `S`. At the most
/// likely `a` the prior's `v' C^-1 v / a^2` is the number of directions that the counts determine, `n - tr[C^-1 S] / a^2`.
///
/// - Source: MacKay, Neural Comput. 4 (1992) 415.
struct PriorSpread: Equatable {
    enum Group: CaseIterable {
        case shifts, modes
    }

    private var parts: [Group: Double] = [:]

    private static let least = 0.05

    subscript(group: Group) -> Double { parts[group] ?? 1 }

    /// One step of the fixed point, and no more than what is usual.
    ///
    /// - Parameter focusStart: the places of regions from here on are not the template's.
    func adapted(to solution: MaximumAPosteriori, of parameters: FitParameters, focusStart: Int) -> PriorSpread {
        var next = self
        for group in Group.allCases {
            let members = parameters.list.indices.filter { index in
                switch (group, parameters.list[index]) {
                case (.shifts, .shift(let region, _)): region < focusStart
                case (.modes, .mode): true
                default: false
                }
            }
            guard !members.isEmpty else { continue }
            var (moved, left) = (0.0, 0.0)
            for row in members {
                for column in members {
                    let place = row * parameters.count + column
                    let precision = parameters.precision[place]
                    moved +=
                        precision * (solution.value[row] - parameters.mean[row])
                        * (solution.value[column] - parameters.mean[column])
                    left += precision * solution.ownCovariance[place]
                }
            }
            let determined = Double(members.count) - left
            guard determined > 0 else { continue }
            next.parts[group] = min(max(self[group] * (moved / determined).squareRoot(), Self.least), 1)
        }
        return next
    }
}
