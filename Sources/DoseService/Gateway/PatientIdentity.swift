import DICOM

/// Who an object says that its patient is, as digests: they can be compared, and say nothing about whom.
enum PatientIdentity {
    /// Equal for one patient of one issuer; without an identifier every study is a patient of its own.
    static func key(_ object: ScannedObject) -> String {
        guard let identifier = object.patientID, !identifier.isEmpty else {
            return Digest.hex(of: Array("study \(object.studyInstance)".utf8))
        }
        return Digest.hex(of: (object.issuerOfPatientID ?? []) + [0] + identifier)
    }

    /// The identifier goes into the digest: there are too few birth dates to hide in.
    static func birthKey(_ object: ScannedObject) -> String? { digest(object.patientBirthDate, of: object) }

    /// The family name and the first given name, whatever case and fillers a device writes them in.
    static func nameKey(_ object: ScannedObject) -> String? {
        guard let name = object.patientName else { return nil }
        // The alphabetic form stands before the first `=`; components are split by `^`.
        let alphabetic = name.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)[0]
        let components = alphabetic.split(separator: UInt8(ascii: "^"), omittingEmptySubsequences: false).prefix(2)
        let letters = components.map { component in
            component.filter { $0 != UInt8(ascii: " ") }.map { (97...122).contains($0) ? $0 - 32 : $0 }
        }
        guard letters.contains(where: { !$0.isEmpty }) else { return nil }
        return digest(Array(letters.joined(separator: [UInt8(ascii: "^")])), of: object)
    }

    /// `M`, `F` or `O`; nil for anything else.
    static func sex(_ object: ScannedObject) -> String? {
        guard let bytes = object.patientSex, bytes.count == 1 else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        return ["M", "F", "O"].contains(text) ? text : nil
    }

    private static func digest(_ value: [UInt8]?, of object: ScannedObject) -> String? {
        guard let value, !value.isEmpty else { return nil }
        return Digest.hex(of: (object.patientID ?? []) + [0] + value)
    }
}
