import Anatomy
import DICOM
import Foundation
import Imaging
import Reconstruction

/// The DICOM objects of a reconstruction: what a site may have sent to its archives.
package struct ResultObjects {
    /// What can be sent, in the order in which it is; a destination names those that it receives.
    package enum Output: String, CaseIterable, Sendable {
        case plan, activity, uncertainty
        /// The regions that were used.
        case seg
        /// The activity map once more as PET images, one object for each slice.
        case pt

        /// The output that a file of a result's folder belongs to; nil for a file of another kind.
        init?(file: String) {
            guard file.hasSuffix(".dcm") else { return nil }
            self.init(rawValue: String(file.prefix { $0 != "." && $0 != "-" }))
        }
    }

    /// One object in a result's folder.
    struct File: Equatable, Sendable {
        let output: Output
        let name: String
        /// Names it among what a destination receives.
        var label: String { String(name.prefix { $0 != "." }) }
    }

    let estimate: ActivityEstimate
    let anatomy: PatientAnatomy
    let study: StudyReader.Study
    let request: ReconstructionRun.Request

    /// The objects in a result's folder, in the order in which they are sent.
    static func files(in folder: String) -> [File] {
        // A folder that is gone holds none.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return Output.allCases.flatMap { output in
            names.sorted().filter { Output(file: $0) == output }.map { File(output: output, name: $0) }
        }
    }

    /// - Throws: `DICOMWritingError`.
    func write(_ provenance: Provenance) throws {
        let folder = request.outputFolder
        let context = RTDoseContext(
            frameOfReferenceUID: study.ct.frameOfReferenceUID, ctGrid: study.ct.volume.grid, sources: study.sources,
            provenance: provenance, qualification: request.qualification, createdAt: request.createdAt,
            uids: UIDGenerator(namespace: request.namespace))
        let writer = RTDoseWriter(context: context, source: study.planarSource)
        let quantity: DoseMap.Quantity =
            estimate.isCalibrated ? .activityConcentration(at: study.planar.startedAt) : .relativeActivity
        let name = study.planar.radionuclide.name
        try writer.writePlan(to: "\(folder)/plan.dcm")
        try writer.write(
            DoseMap(quantity, volume: estimate.activity, radionuclide: name), output: "activity", seriesNumber: 1,
            to: "\(folder)/activity.dcm")
        try writer.write(
            DoseMap(
                quantity, statistic: .standardDeviation, volume: estimate.standardDeviation(over: anatomy.regions),
                radionuclide: name),
            output: "uncertainty", seriesNumber: 2, to: "\(folder)/uncertainty.dcm")
        let segments = anatomy.regions.filter { $0.kind != .background }.map {
            SegmentationWriter.Segment(name: $0.name, coverage: $0.coverage)
        }
        try writer.segmentation(segments, on: anatomy.grid, seriesNumber: 3)?.write(to: "\(folder)/seg.dcm")
        // A PET image is in Bq/mL or in nothing that a viewer understands.
        if request.writesPETCopy, estimate.isCalibrated { try writePETCopy(writer) }
    }

    private func writePETCopy(_ writer: RTDoseWriter) throws {
        let slices = try writer.petSlices(
            of: estimate.activity, planar: study.planar, administration: study.administration,
            isSupineHeadFirst: study.ct.patientPosition == "HFS", seriesNumber: 4)
        for (index, slice) in slices.enumerated() {
            let digits = String(index + 1)
            let padded = String(repeating: "0", count: max(0, 4 - digits.count)) + digits
            try slice.write(to: "\(request.outputFolder)/pt-\(padded).dcm")
        }
    }
}
