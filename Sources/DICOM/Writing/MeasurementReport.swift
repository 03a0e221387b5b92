/// Numbers about regions, to be written as a structured report.
public struct MeasurementReport: Equatable, Sendable {
    /// A number with its meaning and its unit.
    public struct Measurement: Equatable, Sendable {
        public let concept, unit: CodedConcept
        /// What of a distribution the value is; nil for a value that has none.
        public let derivation: CodedConcept?
        public let value: Double

        public init(
            _ concept: CodedConcept, _ value: Double, _ unit: CodedConcept, derivation: CodedConcept? = nil
        ) {
            (self.concept, self.value, self.unit, self.derivation) = (concept, value, unit, derivation)
        }
    }

    /// A region and what was measured of it.
    public struct Group: Equatable, Sendable {
        /// Name in all tables of the job.
        public let name: String
        public let finding: CodedConcept
        public let site: CodedConcept?
        public let measurements: [Measurement]
        /// What no public scheme of codes has a name for, in words and units.
        public let comment: String?

        public init(
            name: String, finding: CodedConcept, site: CodedConcept?, measurements: [Measurement],
            comment: String? = nil
        ) {
            (self.name, self.finding, self.site, self.measurements) = (name, finding, site, measurements)
            self.comment = comment
        }
    }

    public let groups: [Group]

    public init(groups: [Group]) { self.groups = groups }
}

extension RTDoseWriter {
    /// - Source: DICOM PS3.16, TID 1500 Measurement Report with groups of TID 1501; PS3.3 A.35.2, Enhanced SR IOD.
    public func measurementReport(_ report: MeasurementReport, seriesNumber: Int) -> Dataset {
        let dataset = Dataset()
        putHeader(
            dataset, .enhancedStructuredReport, modality: "SR", instance: context.uids.uid("report sr"),
            series: context.uids.uid("report sr", "series"), seriesNumber: seriesNumber, isRadiotherapy: false)
        dataset.put(.seriesDescription, "Absorbed dose of regions")
        dataset.putEmpty(.referencedPerformedProcedureStepSequence, .performedProcedureCodeSequence)
        dataset.put(.instanceNumber, integer: 1)
        dataset.put(.completionFlag, "COMPLETE")
        dataset.put(.verificationFlag, "UNVERIFIED")
        dataset.put(.contentDate, context.createdAt.dicomDate)
        dataset.put(.contentTime, context.createdAt.dicomTime)
        putEvidence(dataset)
        dataset.put(.valueType, "CONTAINER")
        dataset.put(.conceptNameCodeSequence, code: .imagingMeasurementReport)
        dataset.put(.continuityOfContent, "SEPARATE")
        Self.putTemplate(dataset, "1500")
        dataset.append(to: .contentSequence) { item in
            Self.put(item, "HAS CONCEPT MOD", .languageOfContent, code: .english)
        }
        dataset.append(to: .contentSequence) { Self.put($0, "HAS OBS CONTEXT", .observerType, code: .device) }
        dataset.append(to: .contentSequence) { item in
            Self.put(
                item, "HAS OBS CONTEXT", .deviceObserverUID, uid: UIDGenerator(namespace: "scintivol").uid("device"))
        }
        dataset.append(to: .contentSequence) {
            Self.put($0, "HAS CONCEPT MOD", .procedureReported, code: .radionuclideTherapy)
        }
        dataset.append(to: .contentSequence) { item in
            Self.putContainer(item, .imagingMeasurements)
            for group in report.groups { putGroup(item, group) }
        }
        return dataset
    }

    /// The instances that the numbers come from, by study and series.
    private func putEvidence(_ dataset: Dataset) {
        var studies: [String: [String: [SourceReference]]] = [:]
        for source in context.sources {
            studies[source.studyInstanceUID, default: [:]][source.seriesInstanceUID, default: []].append(source)
        }
        for (study, series) in studies.sorted(by: { $0.key < $1.key }) {
            dataset.append(to: .currentRequestedProcedureEvidenceSequence) { item in
                item.put(.studyInstanceUID, study)
                for (uid, sources) in series.sorted(by: { $0.key < $1.key }) {
                    item.append(to: .referencedSeriesSequence) { seriesItem in
                        seriesItem.put(.seriesInstanceUID, uid)
                        for source in sources {
                            seriesItem.append(to: .referencedSOPSequence) { reference in
                                reference.put(.referencedSOPClassUID, source.sopClassUID)
                                reference.put(.referencedSOPInstanceUID, source.sopInstanceUID)
                            }
                        }
                    }
                }
            }
        }
    }

    private func putGroup(_ parent: Dataset, _ group: MeasurementReport.Group) {
        parent.append(to: .contentSequence) { item in
            Self.putContainer(item, .measurementGroup)
            Self.putTemplate(item, "1501")
            item.append(to: .contentSequence) { Self.put($0, "HAS OBS CONTEXT", .trackingIdentifier, text: group.name) }
            item.append(to: .contentSequence) { child in
                Self.put(child, "HAS OBS CONTEXT", .trackingUID, uid: context.uids.uid("region", group.name))
            }
            item.append(to: .contentSequence) { Self.put($0, "CONTAINS", .finding, code: group.finding) }
            if let site = group.site {
                item.append(to: .contentSequence) { Self.put($0, "HAS CONCEPT MOD", .findingSite, code: site) }
            }
            for measurement in group.measurements {
                item.append(to: .contentSequence) { child in
                    Self.putName(child, "CONTAINS", "NUM", measurement.concept)
                    child.append(to: .measuredValueSequence) { value in
                        value.put(.numericValue, decimal: DecimalString.rounded(measurement.value, digits: 6))
                        value.put(.measurementUnitsCodeSequence, code: measurement.unit)
                    }
                    guard let derivation = measurement.derivation else { return }
                    child.append(to: .contentSequence) {
                        Self.put($0, "HAS CONCEPT MOD", .derivation, code: derivation)
                    }
                }
            }
            if let comment = group.comment {
                item.append(to: .contentSequence) { Self.put($0, "CONTAINS", .comment, text: comment) }
            }
        }
    }

    // MARK: - Content items

    private static func putName(_ item: Dataset, _ relation: String, _ type: String, _ name: CodedConcept) {
        item.put(.relationshipType, relation)
        item.put(.valueType, type)
        item.put(.conceptNameCodeSequence, code: name)
    }

    private static func put(_ item: Dataset, _ relation: String, _ name: CodedConcept, code: CodedConcept) {
        putName(item, relation, "CODE", name)
        item.put(.conceptCodeSequence, code: code)
    }

    private static func put(_ item: Dataset, _ relation: String, _ name: CodedConcept, text: String) {
        putName(item, relation, "TEXT", name)
        item.put(.textValue, text)
    }

    private static func put(_ item: Dataset, _ relation: String, _ name: CodedConcept, uid: String) {
        putName(item, relation, "UIDREF", name)
        item.put(.uidValue, uid)
    }

    private static func putContainer(_ item: Dataset, _ name: CodedConcept) {
        putName(item, "CONTAINS", "CONTAINER", name)
        item.put(.continuityOfContent, "SEPARATE")
    }

    private static func putTemplate(_ item: Dataset, _ identifier: String) {
        item.append(to: .contentTemplateSequence) { template in
            template.put(.mappingResource, "DCMR")
            template.put(.templateIdentifier, identifier)
        }
    }
}
