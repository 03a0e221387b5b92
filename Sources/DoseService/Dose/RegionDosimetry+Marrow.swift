import Anatomy
import Dosimetry
import Imaging

extension RegionDosimetry {
    private static let boneLimit: Float = 0.5
    /// CT numbers of a voxel that is cancellous bone in its mean: fat and marrow between trabeculae and, above, cortical
    /// bone.
    private static let cancellous: ClosedRange<Float> = 100...500
    /// Millilitres; below these the mean of a few voxels says nothing of the marrow.
    private static let leastVolume = 50.0

    /// An estimate for the red marrow that nobody has contoured: the mean dose in the cancellous bone that the CT shows,
    /// away from lesions. It holds the marrow's own decays, as the images share them out to the bone, and those around it.
    ///
    /// - Returns: nil when there is a contour, or too little such bone.
    func marrow(_ rows: [DoseSummary.Region]) throws(StudyProblem) -> DoseSummary.Marrow? {
        guard !regions.contains(where: { $0.name.hasPrefix(DoseSummary.Marrow.name) }),
            let bone = regions.first(where: { $0.organ == .bone }),
            let row = rows.first(where: { $0.name == bone.name })
        else { return nil }
        var coverage = bone.coverage
        for voxel in coverage.voxels.indices {
            let isInside = coverage.voxels[voxel] >= Self.boneLimit
            if !isInside || !Self.cancellous.contains(anatomy.hounsfield.voxels[voxel]) { coverage.voxels[voxel] = 0 }
        }
        let region = Region(name: DoseSummary.Marrow.name, organ: nil, kind: .background, coverage: coverage)
        guard region.millilitres >= Self.leastVolume else { return nil }
        let histogram: DoseVolumeHistogram
        do { histogram = try self.histogram(region) } catch { throw StudyProblem(error) }
        let half = row.curve?.effectiveHalfLifeHours ?? input.scheme.halfLifeHours
        return DoseSummary.Marrow(
            volumeMillilitres: region.millilitres, gray: histogram.mean,
            grayPerGigabecquerel: histogram.mean / request.administeredMegabecquerel * 1000,
            deviationPercent: row.deviationPercent,
            effectiveGray: BiologicalDose.lateTissue.effectiveDose(
                gray: histogram.mean, effectiveHalfLifeHours: half))
    }
}
