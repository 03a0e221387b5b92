import Anatomy
import DICOM
import Reconstruction

/// Why a study cannot be reconstructed now, or at all.
///
/// The codes are stable: rows, answers and scripts hold them. Nothing in it is text from a file.
public enum StudyProblem: Error, Equatable, Sendable, Codable {
    /// Something is missing that a person or a late instance can supply.
    case needsInput(code: String, fields: [String])
    /// These instances can never be used.
    case refused(code: String)
    /// The work itself failed; another attempt may do better.
    case failed(code: String)

    public var code: String {
        switch self {
        case .needsInput(let code, _), .refused(let code), .failed(let code): code
        }
    }

    /// The code and a sentence for whoever has to act on it.
    public var advice: String {
        switch self {
        case .needsInput(let code, let fields):
            let asked = fields.isEmpty ? "" : " (\(fields.joined(separator: ", ")))"
            return "\(code): \(Self.sentence(code) ?? "something is missing")\(asked)"
        case .refused(let code): return "\(code): \(Self.sentence(code) ?? "the instances cannot be used")"
        case .failed(let code): return "\(code): \(Self.sentence(code) ?? "the work failed")"
        }
    }
}

extension StudyProblem {
    init(_ error: DICOMReadingError, role: String) {
        switch error {
        case .needsInput(let missing):
            self = .needsInput(code: error.reasonCode, fields: ["\(role).\(missing.rawValue)"])
        case .refused: self = .refused(code: "\(role)-\(error.reasonCode)")
        }
    }

    init(_ error: AnatomyError) {
        switch error {
        case .noBody: self = .refused(code: "ct-no-body")
        case .emptyPET: self = .refused(code: "pt-empty")
        case .noRegions: self = .needsInput(code: "contours-outside-ct", fields: ["contours"])
        case .imaging: self = .refused(code: "ct-impossible-grid")
        }
    }

    init(_ error: ReconstructionError) {
        switch error {
        case .missingView(let direction):
            self = .needsInput(code: "view-missing", fields: ["nm.\(direction)"])
        case .viewsDiffer: self = .refused(code: "nm-views-differ")
        case .zeroCounts: self = .refused(code: "nm-zero-counts")
        case .noOverlap: self = .refused(code: "nm-ct-no-overlap")
        case .regionsOutsideField: self = .refused(code: "regions-outside-field")
        case .tomography: self = .needsInput(code: "camera-impossible", fields: ["site.collimator"])
        case .singular: self = .failed(code: "fit-singular")
        case .notFinite: self = .failed(code: "not-finite")
        case .learning: self = .failed(code: "model-failed")
        case .notSampleable: self = .failed(code: "anatomy-not-sampleable")
        }
    }
}
