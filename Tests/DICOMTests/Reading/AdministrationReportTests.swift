import DICOM
import Testing

/// Reports of what was administered.
@Suite struct AdministrationReportTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// - Parameters:
    ///   - unit: nil leaves the activity out.
    ///   - depth: of containers around the event beside those of the template.
    static func object(
        activity: Double = 7.43, unit: String? = "GBq", start: String? = "20251031101500",
        nuclide: String? = "447553000", depth: Int = 0
    ) -> Dataset {
        func name(_ item: Dataset, _ code: String) {
            item.append(to: .conceptNameCodeSequence) {
                $0.put(.codeValue, code)
                $0.put(.codingSchemeDesignator, "DCM")
                $0.put(.codeMeaning, "meaning")
            }
        }
        let dataset = Dataset()
        let uids = UIDGenerator(namespace: "report")
        dataset.put(.sopClassUID, SOPClass.radiopharmaceuticalDoseReport.rawValue)
        dataset.put(.sopInstanceUID, uids.uid("instance"))
        dataset.put(.studyInstanceUID, uids.uid("study"))
        dataset.put(.seriesInstanceUID, uids.uid("series"))
        dataset.put(.modality, "SR")
        dataset.put(.valueType, "CONTAINER")
        name(dataset, "113500")
        let around = (0..<depth).reduce(dataset) { outer, _ in outer.append(to: .contentSequence) }
        around.append(to: .contentSequence) { event in
            event.put(.valueType, "CONTAINER")
            name(event, "113502")
            event.append(to: .contentSequence) { agent in
                agent.put(.valueType, "CODE")
                name(agent, "349358000")
                guard let nuclide else { return }
                agent.append(to: .contentSequence) { child in
                    name(child, "89457008")
                    child.append(to: .conceptCodeSequence) { $0.put(.codeValue, nuclide) }
                }
            }
            if let start {
                event.append(to: .contentSequence) { child in
                    name(child, "123003")
                    child.put(.dateTime, start)
                }
            }
            guard let unit else { return }
            event.append(to: .contentSequence) { child in
                name(child, "113507")
                child.append(to: .measuredValueSequence) { value in
                    value.put(.numericValue, decimal: activity)
                    value.append(to: .measurementUnitsCodeSequence) { $0.put(.codeValue, unit) }
                }
            }
        }
        return dataset
    }

    private func read(_ dataset: Dataset) throws -> AdministrationReport {
        try dataset.write(to: folder.file("sr.dcm"))
        return try AdministrationReport(fileAt: folder.file("sr.dcm"))
    }

    @Test(arguments: [("GBq", 7.43, 7430), ("MBq", 7430, 7430), ("Bq", 7.43e9, 7430), ("mCi", 200, 7400)])
    func saysHowMuchOfWhatAndWhen(unit: String, activity: Double, megabecquerels: Double) throws {
        let report = try read(Self.object(activity: activity, unit: unit))
        #expect(abs((report.administration.megabecquerels ?? 0) - megabecquerels) < 1e-6)
        #expect(
            report.administration.startedAt
                == LocalTimestamp(year: 2025, month: 10, day: 31, secondsOfDay: 10.25 * 3600))
        #expect(report.radionuclide == "177Lu")
    }

    @Test func anotherRadionuclideIsNotTakenForThisOne() throws {
        #expect(try read(Self.object(nuclide: "49169000")).radionuclide == nil)
    }

    @Test func whatDoesNotSayItIsNoReport() throws {
        let silent = [
            Self.object(unit: nil), Self.object(unit: "furlong"), Self.object(start: nil), Self.object(activity: 0),
            Self.object(nuclide: nil),
        ]
        for dataset in silent {
            #expect(throws: DICOMReadingError.needsInput(.administration)) { try read(dataset) }
        }
    }

    /// Containers in containers, deeper than anybody nests them.
    @Test func depthIsBounded() throws {
        #expect(try read(Self.object(depth: 4)).radionuclide == "177Lu")
        #expect(throws: DICOMReadingError.needsInput(.administration)) { try read(Self.object(depth: 25)) }
    }
}
