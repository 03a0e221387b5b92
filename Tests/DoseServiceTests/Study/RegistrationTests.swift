import DICOM
import Foundation
import TestSupport
import Testing

/// PET and CT of two frames of reference, and reports of what was given.
@Suite struct RegistrationTests {
    private struct Outcome {
        let status: Int32
        let errors: String
        let summary: [String: Any]

        var findings: [String] { summary["findings"] as? [String] ?? [] }
        var injection: [String: Any] { summary["injection"] as? [String: Any] ?? [:] }

        func value(_ name: String, of organ: String) -> Double? {
            (summary["organs"] as? [[String: Any]])?.first { $0["name"] as? String == organ }?[name] as? Double
        }
    }

    /// - Parameters:
    ///   - folder: holds `pt` and what else the anatomy consists of; CT and contours are the phantom's.
    private func reconstruct(_ pet: [String], with extra: [Dataset], in folder: StateFolder) async throws -> Outcome {
        let phantom = try await SharedPhantom.get()
        let target = folder.file("anatomy")
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        for (number, path) in (try phantom.files("ct", "rtstruct") + pet).enumerated() {
            try FileManager.default.linkItem(atPath: path, toPath: "\(target)/\(number).dcm")
        }
        for (number, dataset) in extra.enumerated() { try dataset.write(to: "\(target)/extra-\(number).dcm") }
        let run = try await ProgramRun(
            Scintivol.program,
            [
                "reconstruct", "--planar", phantom.part("nm"), "--anatomy", target, "--out", folder.file("out"),
                "--site", phantom.siteFile, "--json",
            ], environment: [:], within: .seconds(600))
        let summary = try? JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any]
        return Outcome(status: run.status, errors: run.errors, summary: summary ?? [:])
    }

    /// The phantom's PET, moved and in a frame of reference of its own.
    private func movedPET(by shift: SIMD3<Double>, in folder: StateFolder) async throws -> [String] {
        try FileManager.default.createDirectory(atPath: folder.file("pt"), withIntermediateDirectories: true)
        return try await SharedPhantom.get().files("pt").enumerated().map { number, path in
            let dataset = try Dataset(contentsOf: path)
            let place = try dataset.decimals(.imagePositionPatient)
            dataset.put(.imagePositionPatient, decimals: (0..<3).map { place[$0] + shift[$0] })
            dataset.put(.frameOfReferenceUID, "1.2.3.99")
            try dataset.write(to: folder.file("pt/\(number).dcm"))
            return folder.file("pt/\(number).dcm")
        }
    }

    private func registration(_ shift: SIMD3<Double>) async throws -> Dataset {
        let ct = try await Dataset(contentsOf: SharedPhantom.get().files("ct")[0])
        let dataset = Dataset()
        dataset.copy([.patientName, .patientID, .studyInstanceUID], from: ct)
        dataset.put(.sopClassUID, SOPClass.spatialRegistration.rawValue)
        dataset.put(.sopInstanceUID, "1.2.3.98")
        dataset.put(.seriesInstanceUID, "1.2.3.97")
        dataset.put(.modality, "REG")
        dataset.copy([.frameOfReferenceUID], from: ct)
        dataset.append(to: .registrationSequence) { item in
            item.put(.frameOfReferenceUID, "1.2.3.99")
            item.append(to: .matrixRegistrationSequence) { registration in
                registration.append(to: .matrixSequence) { matrix in
                    matrix.put(
                        .frameOfReferenceTransformationMatrix,
                        decimals: [1, 0, 0, -shift.x, 0, 1, 0, -shift.y, 0, 0, 1, -shift.z, 0, 0, 0, 1])
                }
            }
        }
        return dataset
    }

    private func report(activity: Double, hoursBefore: Double) async throws -> Dataset {
        let nm = try await Dataset(contentsOf: SharedPhantom.get().files("nm")[0])
        let date = try #require(nm.text(.acquisitionDate))
        let time = try #require(nm.text(.acquisitionTime))
        let start = try #require(LocalTimestamp(date: date, time: time)).advanced(bySeconds: -3600 * hoursBefore)
        let dataset = Dataset()
        dataset.copy([.patientName, .patientID, .studyInstanceUID], from: nm)
        dataset.put(.sopClassUID, SOPClass.radiopharmaceuticalDoseReport.rawValue)
        dataset.put(.sopInstanceUID, "1.2.3.96")
        dataset.put(.seriesInstanceUID, "1.2.3.95")
        dataset.put(.modality, "SR")
        func add(_ code: String, _ fill: (Dataset) -> Void) {
            dataset.append(to: .contentSequence) { item in
                item.append(to: .conceptNameCodeSequence) { $0.put(.codeValue, code) }
                fill(item)
            }
        }
        add("89457008") { $0.append(to: .conceptCodeSequence) { $0.put(.codeValue, "447553000") } }
        add("123003") { $0.put(.dateTime, start.dicomDate + start.dicomTime) }
        add("113507") { item in
            item.append(to: .measuredValueSequence) { value in
                value.put(.numericValue, decimal: activity)
                value.append(to: .measurementUnitsCodeSequence) { $0.put(.codeValue, "MBq") }
            }
        }
        return dataset
    }

    @Test func aRegistrationJoinsPETAndCT() async throws {
        let shift = SIMD3(30.0, -12, 45)
        let (plain, joined) = (try StateFolder(), try StateFolder())
        let phantom = try await SharedPhantom.get()
        let expected = try await reconstruct(phantom.files("pt"), with: [], in: plain)
        #expect(expected.status == 0 && expected.findings.allSatisfy { !$0.hasPrefix("registration") })
        // The image says the time of day, and not of which day.
        #expect(expected.injection.isEmpty && expected.value("injected_percent", of: "liver") == nil)

        let pet = try await movedPET(by: shift, in: joined)
        // The scan is 48 hours after the administration; the report says what was given, and when.
        let extra = [try await registration(shift), try await report(activity: 6000, hoursBefore: 48)]
        let outcome = try await reconstruct(pet, with: extra, in: joined)
        try #require(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.findings.contains("registration-used"))
        #expect(outcome.findings.contains("administration-from-report"))
        for organ in ["liver", "spleen", "kidney_left", "kidney_right"] {
            let (found, value) = (
                try #require(outcome.value("activity_mbq", of: organ)),
                try #require(expected.value("activity_mbq", of: organ))
            )
            // The same voxels: decimal strings round the shifted positions.
            #expect(abs(found / value - 1) < 1e-3, "\(organ)")
            let left = 6000 * exp2(-48 * 3600 / (6.647 * 86_400))
            let share = try #require(outcome.value("injected_percent", of: organ))
            #expect(abs(share - 100 * found / left) < 1e-3)
        }
        #expect(outcome.injection["stated_by"] as? String == "report")
        #expect(outcome.injection["hours_before"] as? Double == 48)
    }

    @Test func withoutOneTheCaseSaysWhatIsMissing() async throws {
        let folder = try StateFolder()
        let outcome = try await reconstruct(movedPET(by: .zero, in: folder), with: [], in: folder)
        #expect(outcome.status != 0 && outcome.errors.contains("registration-missing"))
    }
}
