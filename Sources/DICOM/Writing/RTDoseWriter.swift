import Imaging

/// Writes activity and dose maps as RT Dose objects.
///
/// RT Dose knows grays and relative units alone. An activity map is relative, with a scaling and a real-world value
/// mapping that give Bq/mL, and says so in its comment.
///
/// - Source: DICOM PS3.3 A.18.3, RT Dose IOD, and C.8.8.3, RT Dose Module.
public struct RTDoseWriter {
    /// What our results name as their manufacturer and model.
    public static let productName = "Scintivol"

    public let context: RTDoseContext
    /// A source instance: its patient and study are copied as they are, byte by byte.
    let source: Dataset

    public init(context: RTDoseContext, source: Dataset) {
        (self.context, self.source) = (context, source)
    }

    /// - Parameter output: names the object among those of the job; the same name gives the same UIDs.
    /// - Throws: ``DICOMWritingError``.
    public func write(_ map: DoseMap, output: String, seriesNumber: Int, to path: String) throws(DICOMWritingError) {
        try dataset(of: map, output: output, seriesNumber: seriesNumber).write(to: path)
    }

    /// - Throws: ``DICOMWritingError``.
    public func writePlan(to path: String) throws(DICOMWritingError) { try plan().write(to: path) }

    /// - Throws: ``DICOMWritingError`` when a voxel is no dose or the grid is not one of RT Dose.
    public func dataset(of map: DoseMap, output: String, seriesNumber: Int) throws(DICOMWritingError) -> Dataset {
        let grid = map.volume.grid
        guard abs(grid.spacing.x - grid.spacing.y) <= 1e-6 * grid.spacing.x else {
            throw .pixelsNotSquare(columnMillimetres: grid.spacing.x, rowMillimetres: grid.spacing.y)
        }
        if let ct = context.ctGrid, !Self.slicesLieOnThose(of: ct, grid) { throw .slicesOffTheCT }
        let encoded = try EncodedDose(map.volume, storage: context.storage)

        let dataset = Dataset()
        putHeader(
            dataset, .radiotherapyDose, modality: "RTDOSE", instance: context.uids.uid(output),
            series: context.uids.uid(output, "series"), seriesNumber: seriesNumber)
        dataset.put(.seriesDescription, Self.description(of: map))
        dataset.put(.contentDate, context.createdAt.dicomDate)
        dataset.put(.contentTime, context.createdAt.dicomTime)
        dataset.put(.instanceNumber, integer: 1)
        dataset.put(.frameOfReferenceUID, context.frameOfReferenceUID)
        dataset.putEmpty(.positionReferenceIndicator)
        putGeometry(dataset, grid)
        putPixels(dataset, encoded, grid)
        putDose(dataset, map, encoded)
        putReferences(dataset)
        return dataset
    }

    /// The minimal RT Plan that the doses of this job refer to.
    ///
    /// - Source: DICOM PS3.3 C.8.8.9, RT General Plan Module.
    public func plan() -> Dataset {
        let dataset = Dataset()
        putHeader(
            dataset, .radiotherapyPlan, modality: "RTPLAN", instance: minimalPlanUID,
            series: context.uids.uid("plan", "series"), seriesNumber: 1)
        dataset.put(.seriesDescription, "Radionuclide therapy")
        dataset.put(.instanceNumber, integer: 1)
        dataset.put(.rtPlanLabel, "RADIONUCLIDE")
        dataset.put(.rtPlanDescription, "Holds the dose maps of a radionuclide therapy; no beams.")
        dataset.put(.rtPlanDate, context.createdAt.dicomDate)
        dataset.put(.rtPlanTime, context.createdAt.dicomTime)
        dataset.put(.planIntent, "RESEARCH")
        dataset.put(.rtPlanGeometry, "TREATMENT_DEVICE")
        dataset.put(.approvalStatus, "UNAPPROVED")
        return dataset
    }

    private var minimalPlanUID: String { context.uids.uid("plan") }

    func putHeader(
        _ dataset: Dataset, _ sopClass: SOPClass, modality: String, instance: String, series: String, seriesNumber: Int,
        isRadiotherapy: Bool = true
    ) {
        if let characterSet = source.bytes(.specificCharacterSet), !characterSet.isEmpty {
            dataset.put(.specificCharacterSet, bytes: characterSet)
        }
        dataset.copy(
            [
                .patientName, .patientID, .patientBirthDate, .patientSex, .studyInstanceUID, .studyDate, .studyTime,
                .studyID, .accessionNumber, .referringPhysicianName,
            ], from: source)
        // Instances of one study must agree on these as well.
        dataset.copy(
            [AttributeTag.studyDescription, .patientAge, .patientSize, .patientWeight].filter { !source.isEmpty($0) },
            from: source)
        dataset.put(.sopClassUID, sopClass.rawValue)
        dataset.put(.sopInstanceUID, instance)
        dataset.put(.instanceCreationDate, context.createdAt.dicomDate)
        dataset.put(.instanceCreationTime, context.createdAt.dicomTime)
        dataset.put(.seriesDate, context.createdAt.dicomDate)
        dataset.put(.seriesTime, context.createdAt.dicomTime)
        dataset.put(.modality, modality)
        dataset.put(.seriesInstanceUID, series)
        dataset.put(.seriesNumber, integer: seriesNumber)
        if isRadiotherapy { dataset.putEmpty(.operatorsName) }
        dataset.put(.manufacturer, Self.productName)
        dataset.put(.manufacturerModelName, Self.productName)
        dataset.put(.softwareVersions, context.provenance.version)
    }

    private func putGeometry(_ dataset: Dataset, _ grid: VoxelGrid) {
        dataset.put(.imagePositionPatient, decimals: [grid.origin.x, grid.origin.y, grid.origin.z])
        dataset.put(.imageOrientationPatient, decimals: [1, 0, 0, 0, 1, 0])
        dataset.put(.pixelSpacing, decimals: [grid.spacing.y, grid.spacing.x])
        dataset.put(.sliceThickness, decimal: grid.spacing.z)
        dataset.put(.frameIncrementPointer, tags: [.gridFrameOffsetVector])
        dataset.put(.gridFrameOffsetVector, decimals: (0..<grid.slices).map { Double($0) * grid.spacing.z })
    }

    private func putPixels(_ dataset: Dataset, _ encoded: EncodedDose, _ grid: VoxelGrid) {
        let bits = encoded.storage.rawValue
        dataset.put(.samplesPerPixel, integer: 1)
        dataset.put(.photometricInterpretation, "MONOCHROME2")
        dataset.put(.numberOfFrames, integer: grid.slices)
        dataset.put(.rows, integer: grid.rows)
        dataset.put(.columns, integer: grid.columns)
        dataset.put(.bitsAllocated, integer: bits)
        dataset.put(.bitsStored, integer: bits)
        dataset.put(.highBit, integer: bits - 1)
        dataset.put(.pixelRepresentation, integer: 0)
        dataset.put(.pixelData, words: encoded.words)
    }

    private static func slicesLieOnThose(of ct: VoxelGrid, _ grid: VoxelGrid) -> Bool {
        (0..<grid.slices).allSatisfy { slice in
            let place = (grid.origin.z + Double(slice) * grid.spacing.z - ct.origin.z) / ct.spacing.z
            return abs(place - place.rounded()) * ct.spacing.z <= SliceStack.leanLimitMillimetres
        }
    }

    static func description(of map: DoseMap) -> String {
        let quantity =
            switch map.quantity {
            case .activityConcentration: "Activity concentration Bq/mL"
            case .relativeActivity: "Relative activity %/mL"
            case .absorbedDose: "Absorbed dose Gy"
            }
        let named = map.radionuclide.map { "\(quantity) \($0)" } ?? quantity
        return map.statistic == .value ? named : named + ", standard deviation"
    }

    /// Names the plan, the instances that the map was made from, and what made it.
    private func putReferences(_ dataset: Dataset) {
        let planUID: String? =
            switch context.plan {
            case .minimal: minimalPlanUID
            case .existing(let uid): uid
            case .overview: nil
            }
        if let planUID {
            dataset.append(to: .referencedRTPlanSequence) { item in
                item.put(.referencedSOPClassUID, SOPClass.radiotherapyPlan.rawValue)
                item.put(.referencedSOPInstanceUID, planUID)
            }
        }
        dataset.put(.doseSummationType, planUID == nil ? "PLAN_OVERVIEW" : "PLAN")
        for source in context.sources {
            dataset.append(to: .referencedInstanceSequence) { item in
                item.put(.referencedSOPClassUID, source.sopClassUID)
                item.put(.referencedSOPInstanceUID, source.sopInstanceUID)
                item.put(.purposeOfReferenceCodeSequence, code: .sourceImage)
            }
        }
        putProvenance(dataset)
    }
}
