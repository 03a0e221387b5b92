import Imaging

/// How the patient lay, as far as the file says it.
struct PatientLie {
    let isProne, isFeetFirst: Bool
    /// The file left at least one of the two open.
    let isAssumed: Bool

    init(_ dataset: Dataset) {
        let modifiers = dataset.items(.patientOrientationCodeSequence)
            .flatMap { $0.codes(.patientOrientationModifierCodeSequence) }
        let relationships = dataset.codes(.patientGantryRelationshipCodeSequence)
        isProne = modifiers.contains { CodedConcept.proneCodes.contains($0) }
        isFeetFirst = relationships.contains { CodedConcept.feetFirstCodes.contains($0) }
        let saysLie = isProne || modifiers.contains { CodedConcept.supineCodes.contains($0) }
        let saysEnd = isFeetFirst || relationships.contains { CodedConcept.headFirstCodes.contains($0) }
        isAssumed = !(saysLie && saysEnd)
    }
}

/// A detector: from which side it looks, and how its pixels lie in the patient.
struct PlanarDetector {
    let item: Dataset?
    let direction: ViewDirection
    let findings: [PlanarFinding]
    private let columnsAscendX, rowsAscendZ: Bool
    /// Centre of the pixel that the file stores first, when the file says it.
    private let firstPixel: SIMD3<Double>?
    private let radialPosition: Double?

    init(
        number: Int, item: Dataset?, dataset: Dataset, isOnly: Bool, patient: PatientLie, equipment: Equipment,
        rules: PlanarReadingRules
    ) throws(DICOMReadingError) {
        self.item = item
        let orientation = try DetectorOrientation(item)
        var votes: [(ViewEvidence, ViewDirection)] = []
        func vote(_ evidence: ViewEvidence, _ direction: ViewDirection?) {
            if let direction { votes.append((evidence, direction)) }
        }
        vote(.viewCode, Self.direction(codes: item?.codes(.viewCodeSequence) ?? []))
        vote(.imageOrientation, orientation?.direction)
        // Words describe a whole instance: they tell nothing apart when two detectors share one.
        if isOnly { vote(.words, ViewWords.direction(dataset, rules)) }
        vote(.siteRule, Self.direction(number: number, equipment: equipment, patient: patient, rules: rules))
        let byAngle = try Self.direction(angle: item?.decimal(.startAngle))
        if rules.startAngleDecides { vote(.startAngle, byAngle) }
        guard let (evidence, direction) = votes.first else { throw .needsInput(.view) }
        if !rules.startAngleDecides { vote(.startAngle, byAngle) }

        var findings = [PlanarFinding.view(direction, detector: number, by: evidence)]
        for other in votes where other.1 != direction { findings.append(.viewDisputed(detector: number, by: other.0)) }
        self.direction = direction
        if let orientation {
            (columnsAscendX, rowsAscendZ) = (orientation.columnsAscendX, orientation.rowsAscendZ)
            firstPixel = orientation.firstPixel
            findings.append(.turnedByDetectorOrientation(detector: number))
        } else {
            // As seen from the detector with the head up: in front of a supine patient columns run to the patient's
            // left. Feet first turns the picture by half a circle.
            columnsAscendX = (direction == .anterior) != patient.isFeetFirst
            rowsAscendZ = patient.isFeetFirst
            firstPixel = nil
        }
        radialPosition = try item?.decimal(.radialPosition).flatMap { $0 > 0 ? $0 : nil }
        self.findings = findings
    }

    /// A frame in the patient's axes.
    func view(
        of pixels: ArraySlice<Int32>, window: EnergyWindow, layout: PixelLayout, spacing: SIMD2<Double>,
        dwellSeconds: Double
    ) throws(DICOMReadingError) -> PlanarView {
        let (columns, rows) = (layout.columns, layout.rows)
        var counts = [Float](repeating: 0, count: columns * rows)
        for row in 0..<rows {
            let z = rowsAscendZ ? row : rows - 1 - row
            for column in 0..<columns {
                let x = columnsAscendX ? column : columns - 1 - column
                counts[z * columns + x] = Float(pixels[pixels.startIndex + row * columns + column])
            }
        }
        let extent = SIMD2(Double(columns - 1), Double(rows - 1)) * spacing
        var origin = extent / -2
        if let firstPixel {
            origin.x = columnsAscendX ? firstPixel.x : firstPixel.x - extent.x
            origin.y = rowsAscendZ ? firstPixel.z : firstPixel.z - extent.y
        }
        do {
            return try PlanarView(
                direction: direction, window: window, columns: columns, rows: rows, spacing: spacing, origin: origin,
                dwellSeconds: dwellSeconds, radialPositionMillimetres: radialPosition,
                facePositionMillimetres: firstPixel?.y, counts: counts)
        } catch {
            throw .refused(.impossibleDimensions(columns: columns, rows: rows, frames: layout.frames))
        }
    }

    private static func direction(codes: [String]) -> ViewDirection? {
        let isAnterior = codes.contains { CodedConcept.anteriorCodes.contains($0) }
        let isPosterior = codes.contains { CodedConcept.posteriorCodes.contains($0) }
        guard isAnterior != isPosterior else { return nil }
        return isAnterior ? .anterior : .posterior
    }

    /// A site's rule names detectors by where they stand, and a prone patient turns the back to the upper one.
    private static func direction(
        number: Int, equipment: Equipment, patient: PatientLie, rules: PlanarReadingRules
    ) -> ViewDirection? {
        guard let rule = rules.viewRules.first(where: { $0.matches(equipment) }), number <= rule.directions.count else {
            return nil
        }
        let direction = rule.directions[number - 1]
        guard patient.isProne else { return direction }
        return direction == .anterior ? .posterior : .anterior
    }

    private static func direction(angle: Double?) -> ViewDirection? {
        switch angle {
        case 180: .anterior
        case 0, 360: .posterior
        default: nil
        }
    }
}

/// Where a detector's item says that its pixels lie.
///
/// - Source: DICOM PS3.3 C.8.4.11, NM Detector Module, and C.7.6.2.1.1.
struct DetectorOrientation {
    let columnsAscendX, rowsAscendZ: Bool
    let firstPixel: SIMD3<Double>?

    /// Cosine of the largest angle between a planar image's axes and the patient's that is taken as none.
    private static let alignmentCosine = 0.999

    /// Nil when the item does not say it.
    ///
    /// - Throws: ``DICOMReadingError`` with ``Refusal/planarOrientation`` when the image is not coronal.
    init?(_ item: Dataset?) throws(DICOMReadingError) {
        guard let item else { return nil }
        let cosines = try item.decimals(.imageOrientationPatient)
        guard cosines.count == 6 else { return nil }
        guard abs(cosines[0]) >= Self.alignmentCosine, abs(cosines[5]) >= Self.alignmentCosine else {
            throw .refused(.planarOrientation)
        }
        columnsAscendX = cosines[0] > 0
        rowsAscendZ = cosines[5] > 0
        let position = try item.decimals(.imagePositionPatient)
        firstPixel = position.count == 3 ? SIMD3(position[0], position[1], position[2]) : nil
    }

    /// Rows x columns points along the line of sight: from the front to the back in an anterior view.
    var direction: ViewDirection { columnsAscendX != rowsAscendZ ? .anterior : .posterior }
}
