public import Imaging

/// The dose-volume histogram of a region, as an RT Dose object carries it.
public struct RegionHistogram: Equatable, Sendable {
    /// Its number in the structure set of the same job.
    public let regionNumber: Int
    /// In Gy.
    public let binWidth: Double
    /// Volumes in mL that receive at least 0, 1, 2, … bin widths.
    public let millilitres: [Double]
    public let minimum, maximum, mean: Double

    public init(
        regionNumber: Int, binWidth: Double, millilitres: [Double], minimum: Double, maximum: Double, mean: Double
    ) {
        (self.regionNumber, self.binWidth, self.millilitres) = (regionNumber, binWidth, millilitres)
        (self.minimum, self.maximum, self.mean) = (minimum, maximum, mean)
    }
}

extension RTDoseWriter {
    private var structureSetUID: String { context.uids.uid("regions") }

    /// The regions whose doses are reported, in the frame of reference of the CT.
    ///
    /// Regions are numbered from 1 in their order.
    ///
    /// - Source: DICOM PS3.3 A.19, RT Structure Set IOD.
    public func structures(_ structures: StructureSet, seriesNumber: Int) -> Dataset {
        let dataset = Dataset()
        putHeader(
            dataset, .structureSet, modality: "RTSTRUCT", instance: structureSetUID,
            series: context.uids.uid("regions", "series"), seriesNumber: seriesNumber)
        dataset.put(.seriesDescription, "Regions of the dose table")
        dataset.put(.instanceNumber, integer: 1)
        dataset.put(.structureSetLabel, "DOSE REGIONS")
        dataset.put(.structureSetDate, context.createdAt.dicomDate)
        dataset.put(.structureSetTime, context.createdAt.dicomTime)
        dataset.put(.approvalStatus, "UNAPPROVED")
        dataset.put(.frameOfReferenceUID, context.frameOfReferenceUID)
        dataset.putEmpty(.positionReferenceIndicator)
        dataset.append(to: .referencedFrameOfReferenceSequence) { frame in
            frame.put(.frameOfReferenceUID, context.frameOfReferenceUID)
        }
        for (index, region) in structures.regions.enumerated() {
            StructureSetWriter.putRegion(
                dataset, region, number: index + 1, frameOfReferenceUID: context.frameOfReferenceUID)
        }
        return dataset
    }

    /// Puts histograms into a dose object; they refer to the regions of ``structures(_:seriesNumber:)``.
    ///
    /// - Source: DICOM PS3.3 C.8.8.4, RT DVH Module.
    public func putHistograms(_ histograms: [RegionHistogram], into dataset: Dataset) {
        guard !histograms.isEmpty else { return }
        dataset.append(to: .referencedStructureSetSequence) { item in
            item.put(.referencedSOPClassUID, SOPClass.structureSet.rawValue)
            item.put(.referencedSOPInstanceUID, structureSetUID)
        }
        for histogram in histograms {
            dataset.append(to: .dvhSequence) { item in
                item.put(.dvhType, "CUMULATIVE")
                item.put(.doseUnits, "GY")
                item.put(.doseType, "PHYSICAL")
                item.put(.dvhDoseScaling, decimal: 1)
                item.put(.dvhVolumeUnits, "CM3")
                item.put(.dvhNumberOfBins, integer: histogram.millilitres.count)
                item.put(
                    .dvhData,
                    decimals: histogram.millilitres.flatMap { [Self.short(histogram.binWidth), Self.short($0)] })
                item.put(.dvhMinimumDose, decimal: Self.short(histogram.minimum))
                item.put(.dvhMaximumDose, decimal: Self.short(histogram.maximum))
                item.put(.dvhMeanDose, decimal: Self.short(histogram.mean))
                item.append(to: .dvhReferencedROISequence) { region in
                    region.put(.dvhROIContributionType, "INCLUDED")
                    region.put(.referencedROINumber, integer: histogram.regionNumber)
                }
            }
        }
    }

    /// Six digits, which are more than a dose has.
    private static func short(_ value: Double) -> Double { DecimalString.rounded(value, digits: 6) }
}
