// MARK: - The frame of a measurement report
extension CodedConcept {
    static let imagingMeasurementReport = CodedConcept("126000", "DCM", "Imaging Measurement Report")
    static let imagingMeasurements = CodedConcept("126010", "DCM", "Imaging Measurements")
    static let measurementGroup = CodedConcept("125007", "DCM", "Measurement Group")
    static let languageOfContent = CodedConcept("121049", "DCM", "Language of Content Item and Descendants")
    static let english = CodedConcept("en", "RFC5646", "English")
    static let observerType = CodedConcept("121005", "DCM", "Observer Type")
    static let device = CodedConcept("121007", "DCM", "Device")
    static let deviceObserverUID = CodedConcept("121012", "DCM", "Device Observer UID")
    static let procedureReported = CodedConcept("121058", "DCM", "Procedure reported")
    static let trackingIdentifier = CodedConcept("112039", "DCM", "Tracking Identifier")
    static let trackingUID = CodedConcept("112040", "DCM", "Tracking Unique Identifier")
    static let finding = CodedConcept("121071", "DCM", "Finding")
    static let findingSite = CodedConcept("363698007", "SCT", "Finding Site")
    static let radionuclideTherapy = CodedConcept("399315003", "SCT", "Radionuclide therapy")
}

// MARK: - What is measured, and in what
extension CodedConcept {
    public static let volume = CodedConcept("118565006", "SCT", "Volume")
    public static let mass = CodedConcept("118538004", "SCT", "Mass")
    public static let organDose = CodedConcept("113518", "DCM", "Organ Dose")

    /// What of a distribution a number is.
    public static let mean = CodedConcept("373098007", "SCT", "Mean")
    public static let standardDeviation = CodedConcept("386136009", "SCT", "Standard Deviation")
    public static let minimum = CodedConcept("255605001", "SCT", "Minimum")
    public static let maximum = CodedConcept("56851009", "SCT", "Maximum")
    static let derivation = CodedConcept("121401", "DCM", "Derivation")
    static let comment = CodedConcept("121106", "DCM", "Comment")

    public static let organFinding = CodedConcept("91723000", "SCT", "Anatomical structure")
    public static let lesionFinding = CodedConcept("52988006", "SCT", "Lesion")

    public static let gray = CodedConcept("Gy", "UCUM", "Gray")
    public static let gram = CodedConcept("g", "UCUM", "gram")
    public static let cubicCentimetre = CodedConcept("cm3", "UCUM", "cubic centimeter")

    /// Where in the body a region of the service lies.
    ///
    /// - Source: SNOMED CT.
    public static func site(of region: String) -> CodedConcept? { sites[region].map { Self($0.0, "SCT", $0.1) } }

    private static let sites: [String: (String, String)] = [
        "liver": ("10200004", "Liver"), "spleen": ("78961009", "Spleen"), "bladder": ("89837001", "Urinary bladder"),
        "stomach": ("69695003", "Stomach"), "pancreas": ("15776009", "Pancreas"),
        "kidney_left": ("18639004", "Left kidney"), "kidney_right": ("9846003", "Right kidney"),
        "small_intestine": ("30315005", "Small intestine"), "lungs": ("39607008", "Lung"),
        "bone": ("272673000", "Bone"),
        "parotid_left": ("45289007", "Parotid gland"), "parotid_right": ("45289007", "Parotid gland"),
        "submandibular_left": ("385296007", "Submandibular gland"),
        "submandibular_right": ("385296007", "Submandibular gland"),
        "lacrimal_left": ("13561001", "Lacrimal gland"), "lacrimal_right": ("13561001", "Lacrimal gland"),
    ]
}
