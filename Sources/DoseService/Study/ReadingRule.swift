package import DICOM
import Imaging

/// What a site says of a device, or a person of one case, where files are silent. A file that speaks is believed first.
///
/// The JSON keys are those of the site's configuration; lengths are in mm, energies in keV.
public struct ReadingRule: Codable, Equatable, Sendable {
    /// The device that the rule is for; what is not named matches every one.
    public var manufacturer, model, station: String?
    /// From which side detector 1, 2 and so on look at a supine patient: `anterior` or `posterior`.
    public var views: [String]?
    /// Words in a description that name a view, besides those that everybody uses.
    public var anteriorWords, posteriorWords: [String]?
    /// The device writes the start angle as the usual one does: 180 anterior, 0 posterior.
    public var startAngleDecides: Bool?
    public var radionuclide: String?
    /// Limits of the windows by their numbers, in either order.
    public var energyWindows: [[Double]]?
    /// Along the patient's x and z.
    public var pixelSpacing: [Double]?
    /// Tangential and axial.
    public var fieldOfView: [Double]?
    public var scanVelocity, scanLength, frameDuration: Double?
    /// How far the pixels' sum may be from what the header says, as a part of it.
    public var countTolerance: Double?
    /// Start of the acquisition, `YYYYMMDDHHMMSS`.
    public var acquiredAt: String?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case manufacturer, model, station, views, radionuclide
        case anteriorWords = "anterior_words"
        case posteriorWords = "posterior_words"
        case startAngleDecides = "start_angle_decides"
        case energyWindows = "energy_windows_kev"
        case pixelSpacing = "pixel_spacing_mm"
        case fieldOfView = "field_of_view_mm"
        case scanVelocity = "scan_velocity_mm_s"
        case scanLength = "scan_length_mm"
        case frameDuration = "frame_duration_s"
        case countTolerance = "count_tolerance"
        case acquiredAt = "acquired_at"
    }

    public init() {}

    /// No length, energy, speed or time of a device is larger, whatever its unit.
    private static let limit = 1e6

    /// Whether it names no device.
    var isForEveryDevice: Bool { manufacturer == nil && model == nil && station == nil }

    /// Reads a rule of a site's description; what is wrong is the reader's to say.
    static func read(_ reader: ConfigurationReader) -> ReadingRule {
        typealias Key = CodingKeys
        var rule = ReadingRule()
        rule.manufacturer = reader.text(Key.manufacturer.rawValue)
        rule.model = reader.text(Key.model.rawValue)
        rule.station = reader.text(Key.station.rawValue)
        rule.views = reader.choices(Key.views.rawValue, of: ViewDirection.allCases.map(\.rawValue))
        rule.anteriorWords = reader.texts(Key.anteriorWords.rawValue)
        rule.posteriorWords = reader.texts(Key.posteriorWords.rawValue)
        rule.startAngleDecides = reader.bool(Key.startAngleDecides.rawValue)
        rule.radionuclide = reader.choice(Key.radionuclide.rawValue, of: Radionuclide.known.map(\.name))
        rule.energyWindows = reader.numberLists(Key.energyWindows.rawValue)
        rule.pixelSpacing = reader.numbers(Key.pixelSpacing.rawValue)
        rule.fieldOfView = reader.numbers(Key.fieldOfView.rawValue)
        rule.scanVelocity = reader.number(Key.scanVelocity.rawValue)
        rule.scanLength = reader.number(Key.scanLength.rawValue)
        rule.frameDuration = reader.number(Key.frameDuration.rawValue)
        rule.countTolerance = reader.number(Key.countTolerance.rawValue)
        rule.acquiredAt = reader.text(Key.acquiredAt.rawValue)
        if rule.isForEveryDevice {
            reader.warn(".", "every-device", "names no manufacturer, model or station, so it is for every device")
        }
        let names = [Key.manufacturer, .model, .station]
        if !Key.allCases.contains(where: { !names.contains($0) && reader.has($0.rawValue) }) {
            reader.warn(".", "says-nothing", "names devices at most, and says nothing of them")
        }
        // What could not be read has been said by now.
        let complained = Set(reader.problems.map(\.path))
        for (key, must) in rule.faults {
            let place = reader.place(key.rawValue)
            guard !complained.contains(where: { $0 == place || $0.hasPrefix(place + "[") }) else { continue }
            reader.complain(key.rawValue, "unusable", must)
        }
        return rule
    }

    /// Keys whose values cannot be used, and what usable ones are.
    var faults: [(key: CodingKeys, must: String)] {
        var faults: [(key: CodingKeys, must: String)] = []
        func check(_ key: CodingKeys, _ holds: Bool?, _ must: String) {
            if holds == false { faults.append((key, "must be \(must)")) }
        }
        func isLength(_ value: Double) -> Bool { value > 0 && value <= Self.limit }
        func isWindow(_ limits: [Double]) -> Bool {
            limits.count == 2 && limits.allSatisfy(isLength) && limits[0] != limits[1]
        }
        let (pair, above, words) = ("two lengths above 0", "above 0", "words of letters and digits alone")
        check(
            .views, views.map { !$0.isEmpty && $0.allSatisfy { ViewDirection(rawValue: $0) != nil } },
            "'anterior' or 'posterior' for each detector")
        check(.anteriorWords, anteriorWords.map { $0.allSatisfy(Self.isWord) }, words)
        check(.posteriorWords, posteriorWords.map { $0.allSatisfy(Self.isWord) }, words)
        check(
            .radionuclide, radionuclide.map { name in Radionuclide.known.contains { $0.name == name } },
            "one of \(Radionuclide.known.map(\.name).joined(separator: ", "))")
        check(
            .energyWindows, energyWindows.map { !$0.isEmpty && $0.allSatisfy(isWindow) },
            "two different limits for each window")
        check(.pixelSpacing, pixelSpacing.map { $0.count == 2 && $0.allSatisfy(isLength) }, pair)
        check(.fieldOfView, fieldOfView.map { $0.count == 2 && $0.allSatisfy(isLength) }, pair)
        check(.scanVelocity, scanVelocity.map(isLength), above)
        check(.scanLength, scanLength.map(isLength), above)
        check(.frameDuration, frameDuration.map(isLength), above)
        check(.countTolerance, countTolerance.map { (0...0.1).contains($0) }, "from 0 to 0.1")
        check(.acquiredAt, acquiredAt.map { LocalTimestamp(dateTime: $0) != nil }, "a time as 20260131093000")
        return faults
    }

    private static func isWord(_ text: String) -> Bool {
        !text.isEmpty && text.allSatisfy { $0.isLetter || $0.isNumber }
    }

    func matches(_ equipment: Equipment) -> Bool {
        func agrees(_ wanted: String?, _ found: String?) -> Bool {
            wanted == nil || wanted?.lowercased() == found?.lowercased()
        }
        return agrees(manufacturer, equipment.manufacturer) && agrees(model, equipment.model)
            && agrees(station, equipment.station)
    }

    /// Adds to the rules what they do not say yet.
    package func complete(_ rules: inout PlanarReadingRules) {
        if let views, rules.viewRules.isEmpty {
            rules.viewRules = [.init(directions: views.compactMap { ViewDirection(rawValue: $0) })]
        }
        rules.anteriorWords.formUnion((anteriorWords ?? []).map { $0.uppercased() })
        rules.posteriorWords.formUnion((posteriorWords ?? []).map { $0.uppercased() })
        if startAngleDecides == true { rules.startAngleDecides = true }
        if let radionuclide, rules.radionuclide == nil {
            rules.radionuclide = Radionuclide.known.first { $0.name == radionuclide }
        }
        if let energyWindows, rules.energyWindows.isEmpty {
            rules.energyWindows = energyWindows.map { EnergyWindow(lower: min($0[0], $0[1]), upper: max($0[0], $0[1])) }
        }
        rules.pixelSpacingMillimetres = rules.pixelSpacingMillimetres ?? pixelSpacing.map { SIMD2($0[0], $0[1]) }
        rules.fieldOfViewMillimetres = rules.fieldOfViewMillimetres ?? fieldOfView.map { SIMD2($0[0], $0[1]) }
        rules.scanVelocityMillimetresPerSecond = rules.scanVelocityMillimetresPerSecond ?? scanVelocity
        rules.scanLengthMillimetres = rules.scanLengthMillimetres ?? scanLength
        rules.frameDurationSeconds = rules.frameDurationSeconds ?? frameDuration
        rules.acquiredAt = rules.acquiredAt ?? acquiredAt.flatMap { LocalTimestamp(dateTime: $0) }
        if let countTolerance, rules.countTolerance == 0 { rules.countTolerance = countTolerance }
    }
}
