extension RTDoseWriter {
    /// A report for people as an instance of its own.
    ///
    /// - Source: DICOM PS3.3 A.45.1, Encapsulated PDF IOD.
    public func encapsulatedPDF(_ pages: [UInt8], title: String, seriesNumber: Int) -> Dataset {
        let dataset = Dataset()
        putHeader(
            dataset, .encapsulatedPDF, modality: "DOC", instance: context.uids.uid("report pdf"),
            series: context.uids.uid("report pdf", "series"), seriesNumber: seriesNumber, isRadiotherapy: false)
        dataset.put(.seriesDescription, title)
        dataset.put(.conversionType, "WSD")
        dataset.put(.instanceNumber, integer: 1)
        dataset.put(.contentDate, context.createdAt.dicomDate)
        dataset.put(.contentTime, context.createdAt.dicomTime)
        dataset.putEmpty(.acquisitionDateTime)
        dataset.put(.burnedInAnnotation, "YES")
        dataset.put(.documentTitle, title)
        dataset.putEmpty(.conceptNameCodeSequence)
        dataset.put(.mimeTypeOfEncapsulatedDocument, "application/pdf")
        dataset.put(.encapsulatedDocumentLength, integer: pages.count)
        dataset.put(.encapsulatedDocument, octets: pages.count % 2 == 0 ? pages : pages + [0])
        return dataset
    }
}
