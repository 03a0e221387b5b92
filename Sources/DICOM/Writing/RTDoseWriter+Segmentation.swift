public import Imaging

extension RTDoseWriter {
    /// The regions that a reconstruction worked with, as one bit per voxel.
    ///
    /// - Parameters:
    ///   - segments: those without a voxel of which half lies inside are left out.
    ///   - grid: the voxels of the map, on which the segments lie.
    /// - Returns: nil when no segment is left.
    /// - Throws: ``DICOMWritingError/segmentOffTheGrid`` when a segment's voxels are not voxels of the grid.
    public func segmentation(
        _ segments: [SegmentationWriter.Segment], on grid: VoxelGrid, seriesNumber: Int
    ) throws(DICOMWritingError) -> Dataset? {
        let visible = segments.filter { $0.coverage.voxels.contains { $0 >= 0.5 } }
        guard !visible.isEmpty else { return nil }
        let dataset = Dataset()
        putHeader(
            dataset, .segmentation, modality: "SEG", instance: context.uids.uid("seg"),
            series: context.uids.uid("seg", "series"), seriesNumber: seriesNumber, isRadiotherapy: false)
        dataset.put(.seriesDescription, "Regions of the activity map")
        dataset.put(.instanceNumber, integer: 1)
        dataset.put(.contentDate, context.createdAt.dicomDate)
        dataset.put(.contentTime, context.createdAt.dicomTime)
        dataset.put(.frameOfReferenceUID, context.frameOfReferenceUID)
        dataset.putEmpty(.positionReferenceIndicator)
        // Enhanced general equipment asks for one; there is a program, not a device.
        dataset.put(.deviceSerialNumber, context.provenance.commit.isEmpty ? "0" : context.provenance.commit)
        // The map's voxels are larger than the CT's: no frame is one of its slices.
        try SegmentationWriter.put(
            visible, .binary, on: grid, references: [], dimensions: context.uids.uid("seg", "dimensions"),
            into: dataset)
        putProvenance(dataset)
        return dataset
    }
}
