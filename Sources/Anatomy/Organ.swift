/// What a region of a patient is.
///
/// The raw value is the name in every table, file and answer of the service.
public enum Organ: String, Sendable, Codable, CaseIterable {
    case liver, spleen, bladder, stomach, pancreas
    case kidneyLeft = "kidney_left"
    case kidneyRight = "kidney_right"
    case smallIntestine = "small_intestine"
    case parotidLeft = "parotid_left"
    case parotidRight = "parotid_right"
    case submandibularLeft = "submandibular_left"
    case submandibularRight = "submandibular_right"
    case lacrimalLeft = "lacrimal_left"
    case lacrimalRight = "lacrimal_right"
    case lungs, bone
    /// All of the body that is nothing else.
    case remainder

    /// Names that hospitals and segmentation programs give, in lower case with single underscores.
    private static let synonyms: [String: Organ] = [
        "left_kidney": .kidneyLeft, "kidney_l": .kidneyLeft, "l_kidney": .kidneyLeft, "niere_links": .kidneyLeft,
        "right_kidney": .kidneyRight, "kidney_r": .kidneyRight, "r_kidney": .kidneyRight,
        "niere_rechts": .kidneyRight, "leber": .liver, "milz": .spleen, "urinary_bladder": .bladder,
        "bladder_urinary": .bladder, "blase": .bladder, "small_bowel": .smallIntestine,
        "bowel_small": .smallIntestine, "parotid_l": .parotidLeft, "glnd_parotid_l": .parotidLeft,
        "left_parotid": .parotidLeft, "parotid_gland_left": .parotidLeft, "parotid_r": .parotidRight,
        "glnd_parotid_r": .parotidRight, "right_parotid": .parotidRight, "parotid_gland_right": .parotidRight,
        "submandibular_l": .submandibularLeft, "glnd_submand_l": .submandibularLeft,
        "submandibular_gland_left": .submandibularLeft, "submandibular_r": .submandibularRight,
        "glnd_submand_r": .submandibularRight, "submandibular_gland_right": .submandibularRight,
        "glnd_lacrimal_l": .lacrimalLeft, "glnd_lacrimal_r": .lacrimalRight, "lung": .lungs, "lung_both": .lungs,
        "bones": .bone, "skeleton": .bone, "magen": .stomach,
    ]

    /// The organ that a contour's name means, or nil for a region of its own.
    public init?(contourName: String) {
        let separated = contourName.lowercased().map { $0.isLetter || $0.isNumber ? $0 : "_" }
        let name = String(separated).split(separator: "_").joined(separator: "_")
        guard let organ = Organ(rawValue: name) ?? Self.synonyms[name] else { return nil }
        self = organ
    }
}
