import Imaging

extension RTDoseWriter {
    /// What the stored numbers mean.
    func putDose(_ dataset: Dataset, _ map: DoseMap, _ encoded: EncodedDose) {
        dataset.put(.doseGridScaling, encoded.gridScaling.text)
        dataset.put(.doseType, map.statistic == .value ? "PHYSICAL" : "ERROR")
        dataset.put(.contentQualification, context.qualification.rawValue)
        let warning = context.qualification == .research ? "; not for clinical use" : ""
        switch map.quantity {
        case .absorbedDose:
            dataset.put(.doseUnits, "GY")
            dataset.put(.doseComment, (map.statistic == .value ? "Absorbed dose Gy" : "SD of dose Gy") + warning)
        case .relativeActivity:
            dataset.put(.doseUnits, "RELATIVE")
            let quantity = map.statistic == .value ? "Activity" : "SD of activity"
            dataset.put(.doseComment, "\(quantity) %/mL, uncalibrated\(warning)")
        case .activityConcentration(let time):
            let quantity = map.statistic == .value ? "Activity conc" : "SD of act conc"
            dataset.put(.doseUnits, "RELATIVE")
            // A long string has room for 64 characters, so the time goes without its microseconds.
            let stamp = "\(time.dicomDate) \(time.dicomTime.prefix(6))"
            dataset.put(.doseComment, "\(quantity) Bq/mL @ \(stamp)\(warning)")
            putRealWorldMapping(dataset, encoded)
        }
    }

    /// Lets readers that follow real-world values turn stored pixels into Bq/mL.
    ///
    /// - Source: DICOM PS3.3 C.7.6.16.2.11, Real World Value Mapping Macro.
    private func putRealWorldMapping(_ dataset: Dataset, _ encoded: EncodedDose) {
        dataset.append(to: .realWorldValueMappingSequence) { item in
            let last = Double(encoded.pixels.max() ?? 0)
            switch encoded.storage {
            case .sixteen:
                item.put(.realWorldValueFirstValueMapped, integer: 0)
                item.put(.realWorldValueLastValueMapped, integer: Int(last))
            case .thirtyTwo:
                item.put(.doubleFloatRealWorldValueFirstValueMapped, decimal: 0)
                item.put(.doubleFloatRealWorldValueLastValueMapped, decimal: last)
            }
            item.put(.realWorldValueIntercept, decimal: 0)
            item.put(.realWorldValueSlope, decimal: encoded.gridScaling.value)
            item.put(.lutExplanation, "Activity concentration")
            item.put(.lutLabel, "ACTIVITY")
            item.put(.measurementUnitsCodeSequence, code: .becquerelsPerMillilitre)
        }
    }

    /// - Source: DICOM PS3.3 C.12.1, Contributing Equipment Sequence (0018,A001).
    func putProvenance(_ dataset: Dataset) {
        let provenance = context.provenance
        dataset.append(to: .contributingEquipmentSequence) { item in
            item.put(.purposeOfReferenceCodeSequence, code: .processingEquipment)
            item.put(.manufacturer, "Scintivol")
            item.put(.manufacturerModelName, "Scintivol")
            item.put(.softwareVersions, [provenance.version, provenance.commit].filter { !$0.isEmpty })
            item.put(.contributionDateTime, context.createdAt.dicomDate + context.createdAt.dicomTime)
            item.put(
                .contributionDescription,
                "model \(provenance.modelHash) recipe \(provenance.recipeHash) seed \(provenance.seed)")
        }
    }
}
