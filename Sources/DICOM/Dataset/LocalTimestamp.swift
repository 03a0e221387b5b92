/// A date and time of day on the clock of the site, as devices write them.
///
/// An offset from UTC in a DICOM date-time is left aside: images and administrations of one site share its clock.
///
/// - Source: DICOM PS3.5, section 6.2, representations DA, TM and DT.
public struct LocalTimestamp: Hashable, Comparable, Sendable {
    public let year, month, day: Int
    public let secondsOfDay: Double

    public init(year: Int, month: Int, day: Int, secondsOfDay: Double = 0) {
        (self.year, self.month, self.day, self.secondsOfDay) = (year, month, day, secondsOfDay)
    }

    /// Reads `YYYYMMDD` and `HHMMSS.FFFFFF`, of which the time may stop after hours or minutes.
    public init?(date: String, time: String) {
        let digits = Array(date.utf8)
        guard digits.count == 8, digits.allSatisfy(Self.isDigit), let number = Int(date),
            let seconds = Self.secondsOfDay(time)
        else { return nil }
        self.init(year: number / 10_000, month: number / 100 % 100, day: number % 100, secondsOfDay: seconds)
        // A day that its month has not is the next month's when it is counted.
        guard (1...12).contains(month), day > 0, year > 0, Self(dayNumber: dayNumber, secondsOfDay: 0).day == day
        else { return nil }
    }

    /// Reads a date and a time attribute; a date alone is its midnight.
    init?(_ dataset: Dataset, date: AttributeTag, time: AttributeTag) {
        guard let day = dataset.text(date) else { return nil }
        self.init(date: day, time: dataset.text(time) ?? "00")
    }

    /// Reads `YYYYMMDDHHMMSS.FFFFFF`, with or without an offset from UTC.
    public init?(dateTime: String) {
        let local = dateTime.prefix { $0 != "+" && $0 != "-" }
        guard local.count >= 10 else { return nil }
        self.init(date: String(local.prefix(8)), time: String(local.dropFirst(8)))
    }

    /// Seconds since midnight of a time `HH`, `HHMM`, `HHMMSS` or `HHMMSS.FFFFFF`.
    public static func secondsOfDay(_ time: String) -> Double? {
        let parts = time.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, [2, 4, 6].contains(whole.utf8.count), whole.utf8.allSatisfy(isDigit),
            let number = Int(whole)
        else { return nil }
        let padded = number * [2: 10_000, 4: 100, 6: 1][whole.utf8.count, default: 1]
        let (hours, minutes, seconds) = (padded / 10_000, padded / 100 % 100, padded % 100)
        guard hours < 24, minutes < 60, seconds <= 60 else { return nil }
        guard parts.count == 2 else { return Double(hours * 3600 + minutes * 60 + seconds) }
        guard (1...6).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy(isDigit),
            let fraction = Double("0." + parts[1])
        else { return nil }
        return Double(hours * 3600 + minutes * 60 + seconds) + fraction
    }

    /// Seconds from another timestamp to this one.
    public func seconds(since other: LocalTimestamp) -> Double {
        Double(dayNumber - other.dayNumber) * 86_400 + secondsOfDay - other.secondsOfDay
    }

    /// This timestamp moved by a number of seconds.
    public func advanced(bySeconds seconds: Double) -> LocalTimestamp {
        let total = secondsOfDay + seconds
        let days = (total / 86_400).rounded(.down)
        return Self(dayNumber: dayNumber + Int(days), secondsOfDay: total - days * 86_400)
    }

    public static func < (left: Self, right: Self) -> Bool { left.seconds(since: right) < 0 }

    /// `YYYYMMDD`.
    public var dicomDate: String { Self.padded(year, 4) + Self.padded(month, 2) + Self.padded(day, 2) }

    /// `HHMMSS`, with microseconds when there are any.
    public var dicomTime: String {
        // Rounded down, so that the last microsecond of a day does not become the 24th hour.
        let microseconds = Int((secondsOfDay * 1e6).rounded(.down))
        let seconds = microseconds / 1_000_000
        let whole = Self.padded(seconds / 3600, 2) + Self.padded(seconds / 60 % 60, 2) + Self.padded(seconds % 60, 2)
        return microseconds % 1_000_000 == 0 ? whole : whole + "." + Self.padded(microseconds % 1_000_000, 6)
    }

    /// Days since 1 March of the year 0, in the Gregorian calendar.
    ///
    /// - Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
    private var dayNumber: Int {
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear
    }

    /// - Source: as above, `civil_from_days`.
    private init(dayNumber: Int, secondsOfDay: Double) {
        let era = dayNumber / 146_097
        let dayOfEra = dayNumber % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        self.init(
            year: era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month: month,
            day: dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, secondsOfDay: secondsOfDay)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

/// As a date-time of DICOM, to the microsecond.
extension LocalTimestamp: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let read = Self(dateTime: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a date-time")
        }
        self = read
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(dicomDate + dicomTime)
    }
}
