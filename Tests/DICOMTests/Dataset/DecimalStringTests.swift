import DICOM
import Testing

struct DecimalStringTests {
    @Test(arguments: [1.0 / 3, 2e-9 / 3, 1e300 / 7, 1e-307 / 3, 123_456.789_012_345_67, 4.8, 1, 0.1 + 0.2])
    func roundedUpFitsAndIsNotBelow(number: Double) {
        let string = DecimalString(roundingUp: number)
        #expect(string.text.utf8.count <= DecimalString.characterLimit)
        #expect(string.value >= number)
        #expect(string.value <= number * (1 + 1e-9))
        #expect(Double(string.text) == string.value)
    }

    @Test(arguments: [-1.0 / 3, -2e-105 / 3, 0, -4.8, 1e15, 123_456_789_012_345_680])
    func nearestFitsAndIsClose(number: Double) {
        let string = DecimalString(nearest: number)
        #expect(string.text.utf8.count <= DecimalString.characterLimit)
        #expect(abs(string.value - number) <= 1e-9 * abs(number))
        #expect(Double(string.text) == string.value)
    }

    @Test func timestampsCrossMidnightAndLeapDays() throws {
        let before = try #require(LocalTimestamp(date: "20240228", time: "235959.5"))
        let after = try #require(LocalTimestamp(dateTime: "20240301000000.500000+0100"))
        #expect(after.seconds(since: before) == 86_401)
        #expect(before.advanced(bySeconds: 86_401) == after)
        #expect(after.dicomDate == "20240301")
        #expect(before.dicomTime == "235959.500000")
        #expect(LocalTimestamp.secondsOfDay("0730") == 27_000)
        #expect(LocalTimestamp(date: "20241301", time: "00") == nil)
        #expect(LocalTimestamp(date: "20240229", time: "00") != nil)
        #expect(
            LocalTimestamp(date: "20230229", time: "00") == nil && LocalTimestamp(date: "20240431", time: "00") == nil)
        #expect(LocalTimestamp(date: "20240101", time: "2500") == nil)
    }
}
