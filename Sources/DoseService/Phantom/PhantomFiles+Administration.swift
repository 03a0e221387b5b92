import Anatomy
import Imaging
import Reconstruction

extension PhantomFiles {
    /// What a kidney's cortex holds a day after the administration of one MBq, decay included: with the median half-life of
    /// a kidney's clearance its dose is about 0.5 Gy/GBq, as published for 177Lu-PSMA (0.4 to 0.7).
    ///
    /// - Units: 1/mL, MBq/mL over MBq.
    static let cortexUptake = 8.8e-5
    /// What the whole body may hold of the administered activity at that time, decay included.
    static let retainedShare = 0.1...0.4

    /// What was given to this patient, so that the map is plausible: the kidneys' level of a day after the administration
    /// over ``cortexUptake``, within what ``retainedShare`` leaves open, to 10 MBq.
    ///
    /// It follows from the levels and the patient at the PET/CT alone: scans of one patient at several hours, of which
    /// each has its own motion, name the same activity.
    ///
    /// - Units: MBq.
    public var administeredMegabecquerels: Double {
        let levels = therapyLevels
        let kidneys: [Organ] = [.kidneyLeft, .kidneyRight].filter { $0 != patient.phantom.missingKidney }
        let cortex = kidneys.reduce(0) { $0 + (levels.concentrations[$1] ?? 0) } / Double(max(kidneys.count, 1))
        let whole = retained(levels)
        let (least, most) = (whole / Self.retainedShare.upperBound, whole / Self.retainedShare.lowerBound)
        // Levels are in Bq/mL.
        let given = min(max(cortex * 1e-6 / Self.cortexUptake, least), most)
        return (given / 10).rounded() * 10
    }

    /// Levels of a day after the administration, as the patient's maker draws them.
    private var therapyLevels: UptakePattern {
        let recipe = patient.recipe
        var change = UptakePair.Change()
        change.levelSpread = recipe.levelSpread
        change.lesionLevelSpread = recipe.lesionLevelSpread
        change.goneShare = recipe.goneLesionShare
        return UptakePair(
            seed: recipe.seed, lesions: patient.laterPhantom.lesions, seenCount: patient.phantom.lesions.count,
            change: change
        ).therapy
    }

    /// Activity of the whole body at these levels.
    ///
    /// - Returns: MBq.
    private func retained(_ levels: UptakePattern) -> Double {
        // Of a body of litres every fourth voxel of every fourth row tells enough.
        let (grid, step) = (patient.labels.grid, 4)
        var sum = 0.0
        for z in 0..<grid.slices {
            for y in stride(from: 0, to: grid.rows, by: step) {
                for x in stride(from: 0, to: grid.columns, by: step) {
                    let label = patient.labels[x, y, z]
                    if let lesion = label.lesion {
                        sum += lesion < levels.lesionConcentrations.count ? levels.lesionConcentrations[lesion] : 0
                    } else if let organ = label.organ {
                        sum += levels.concentrations[organ] ?? 0
                    }
                }
            }
        }
        return sum * Double(step * step) * grid.voxelMillilitres * 1e-6
    }
}
