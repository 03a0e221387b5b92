public import Imaging

extension RTDoseWriter {
    /// Name of the copy among the outputs of a job.
    public static let petCopy = "pt"

    /// The activity map once more as PET images, for viewers that take no relative dose.
    ///
    /// They lie in the planar study, in the CT's frame of reference, and say that they are derived. Every slice has a
    /// scaling of its own.
    ///
    /// - Parameters:
    ///   - activity: in Bq/mL at the start of the planar scan.
    ///   - planar: the scan: its start and its radionuclide.
    ///   - administration: of that radionuclide.
    ///   - isSupineHeadFirst: how the patient lay in the CT, when that is known to be so.
    /// - Returns: one instance for each slice, from the feet to the head.
    /// - Throws: ``DICOMWritingError/valueOutOfRange(element:)`` for a negative value and one that is not finite.
    /// - Source: DICOM PS3.3 A.21, Positron Emission Tomography Image IOD.
    public func petSlices(
        of activity: Volume<Float>, planar: PlanarStudy, administration: Administration, isSupineHeadFirst: Bool,
        seriesNumber: Int
    ) throws(DICOMWritingError) -> [Dataset] {
        var slices: [Dataset] = []
        for slice in 0..<activity.grid.slices {
            let dataset = Dataset()
            putHeader(
                dataset, .positronEmission, modality: "PT",
                instance: context.uids.uid(Self.petCopy, "instance", "\(slice + 1)"),
                series: context.uids.uid(Self.petCopy, "series"), seriesNumber: seriesNumber, isRadiotherapy: false)
            putDerivation(dataset)
            putTimes(dataset, planar.startedAt)
            dataset.put(.instanceNumber, integer: slice + 1)
            dataset.put(.frameOfReferenceUID, context.frameOfReferenceUID)
            dataset.putEmpty(.positionReferenceIndicator)
            if isSupineHeadFirst {
                SyntheticStudy.putSupineHeadFirst(dataset)
            } else {
                dataset.putEmpty(.patientOrientationCodeSequence, .patientGantryRelationshipCodeSequence)
            }
            try SliceWriter.putPETPlane(dataset, activity, slice)
            putSeries(dataset, planar, slices: activity.grid.slices, slice: slice)
            putIsotope(dataset, planar.radionuclide, administration)
            putProvenance(dataset)
            slices.append(dataset)
        }
        return slices
    }

    /// What a RT Dose has no attribute for: that the image is derived, how, and from what.
    private func putDerivation(_ dataset: Dataset) {
        dataset.put(.imageType, ["DERIVED", "PRIMARY"])
        dataset.put(.seriesDescription, "Activity concentration Bq/mL from planar images")
        let warning = context.qualification == .research ? "; not for clinical use" : ""
        dataset.put(.derivationDescription, "Reconstructed from planar images with CT and PET\(warning)")
        for source in context.sources {
            dataset.append(to: .sourceImageSequence) { item in
                item.put(.referencedSOPClassUID, source.sopClassUID)
                item.put(.referencedSOPInstanceUID, source.sopInstanceUID)
                item.put(.purposeOfReferenceCodeSequence, code: .sourceImage)
            }
        }
    }

    /// Decay is corrected to the start of the series, so that it has to be the planar scan's.
    private func putTimes(_ dataset: Dataset, _ start: LocalTimestamp) {
        let pairs: [(AttributeTag, AttributeTag)] = [
            (.seriesDate, .seriesTime), (.acquisitionDate, .acquisitionTime), (.contentDate, .contentTime),
        ]
        for (date, time) in pairs {
            dataset.put(date, start.dicomDate)
            dataset.put(time, start.dicomTime)
        }
    }

    private func putSeries(_ dataset: Dataset, _ planar: PlanarStudy, slices: Int, slice: Int) {
        // Which half of the body is no question then.
        dataset.put(.bodyPartExamined, "WHOLEBODY")
        dataset.put(.units, "BQML")
        dataset.put(.countsSource, "EMISSION")
        dataset.put(.seriesType, ["STATIC", "IMAGE"])
        dataset.put(.numberOfSlices, integer: slices)
        dataset.put(.imageIndex, integer: slice + 1)
        dataset.put(.correctedImage, ["DECY", "ATTN", "SCAT"])
        dataset.put(.decayCorrection, "START")
        dataset.put(.decayFactor, decimal: 1)
        dataset.put(.randomsCorrectionMethod, "NONE")
        dataset.put(.attenuationCorrectionMethod, "CT")
        dataset.put(.scatterCorrectionMethod, "Energy windows")
        dataset.put(.actualFrameDuration, integer: Int(planar.durationSeconds * 1000))
        dataset.put(.frameReferenceTime, decimal: 0)
        dataset.putEmpty(.collimatorType)
    }

    private func putIsotope(_ dataset: Dataset, _ radionuclide: Radionuclide, _ administration: Administration) {
        dataset.append(to: .radiopharmaceuticalInformationSequence) { item in
            item.put(.radiopharmaceutical, radionuclide.name)
            if let start = administration.startedAt {
                item.put(.radiopharmaceuticalStartTime, start.dicomTime)
                item.put(.radiopharmaceuticalStartDateTime, start.dicomDate + start.dicomTime)
            }
            // In becquerel here, where a planar image has megabecquerel.
            if let activity = administration.megabecquerels {
                item.put(.radionuclideTotalDose, decimal: activity * 1e6)
            }
            item.put(.radionuclideHalfLife, decimal: radionuclide.halfLifeSeconds)
            if let code = CodedConcept.radionuclide(radionuclide.name) {
                item.put(.radionuclideCodeSequence, code: code)
            } else {
                item.putEmpty(.radionuclideCodeSequence)
            }
        }
    }
}
