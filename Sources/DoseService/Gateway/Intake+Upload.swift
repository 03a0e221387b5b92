import DICOM

extension Intake {
    /// Takes a complete object that came by HTTP, as if it had come by C-STORE.
    ///
    /// - Parameters:
    ///   - study: when given, an instance of another study does not match.
    ///   - sender: as the audit names it.
    ///   - trace: of the request.
    func receivedUpload(at path: String, study: String?, from sender: String, trace: String) -> Upload.Outcome {
        let scanned: ScannedObject
        do throws(ScanError) { scanned = try scanner.scan(path: path) } catch {
            return Upload.Outcome(sopClass: nil, sopInstance: nil, status: FailurePolicy.storeStatus(error).code)
        }
        let status: StoreStatus
        if !PresentationContextPolicy.defaultStorageClasses.contains(scanned.sopClass) {
            // What an association refuses before anything is sent.
            status = .refused(code: Self.sopClassNotSupported, comment: "SOP class")
        } else if let study, study != scanned.studyInstance.description {
            status = .dataSetMismatch(comment: "another study")
        } else {
            do { status = try keep(scanned, at: path, from: sender, trace: trace) } catch {
                status = FailurePolicy.storeStatus(error)
            }
        }
        return Upload.Outcome(
            sopClass: scanned.sopClass.description, sopInstance: scanned.sopInstance.description, status: status.code)
    }

    /// - Source: DICOM PS3.7 annex C.5.6.
    private static let sopClassNotSupported: UInt16 = 0x0122
}
