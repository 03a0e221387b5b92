/// Which frame shows which energy window and detector.
///
/// - Source: DICOM PS3.3 C.8.4.8, NM Multi-frame Module.
struct PlanarFrames {
    struct Frame: Equatable {
        /// Position in the pixel data, from 0.
        let index: Int
        /// Numbers in the vectors, from 1.
        let window, detector: Int
    }

    let frames: [Frame]
    let windowCount: Int

    /// Every detector that has a frame, ascending.
    var detectorNumbers: [Int] { Set(frames.map(\.detector)).sorted() }

    init(_ dataset: Dataset, layout: PixelLayout) throws(DICOMReadingError) {
        let windowCount = try dataset.integer(.numberOfEnergyWindows) ?? 1
        let detectorCount = try dataset.integer(.numberOfDetectors) ?? 1
        // Planar frames run over windows and detectors alone: another pointer means time or angle.
        let planar = Set([AttributeTag.energyWindowVector.number, AttributeTag.detectorVector.number])
        guard try dataset.tagNumbers(.frameIncrementPointer).allSatisfy({ planar.contains($0) }) else {
            throw .refused(.frameIncrement)
        }
        let windows = try Self.vector(dataset, .energyWindowVector, frames: layout.frames, highest: windowCount)
        let detectors = try Self.vector(dataset, .detectorVector, frames: layout.frames, highest: detectorCount)

        var frames: [Frame] = []
        for index in 0..<layout.frames {
            let frame = Frame(index: index, window: windows[index], detector: detectors[index])
            if frames.contains(where: { $0.window == frame.window && $0.detector == frame.detector }) {
                throw .refused(.frameRepeated(window: frame.window, detector: frame.detector))
            }
            frames.append(frame)
        }
        for window in Set(windows) {
            for detector in Set(detectors)
            where !frames.contains(where: { $0.window == window && $0.detector == detector }) {
                throw .refused(.frameMissing(window: window, detector: detector))
            }
        }
        self.frames = frames
        self.windowCount = windows.max() ?? 1
    }

    /// A vector may be left out only where there is nothing to tell apart.
    private static func vector(
        _ dataset: Dataset, _ tag: AttributeTag, frames: Int, highest: Int
    ) throws(DICOMReadingError) -> [Int] {
        let values = try dataset.integers(tag)
        if values.isEmpty, highest == 1 { return Array(repeating: 1, count: frames) }
        guard values.count == frames else {
            throw .refused(.frameVectorLength(tag, expected: frames, found: values.count))
        }
        if let value = values.first(where: { !(1...max(highest, 1)).contains($0) }) {
            throw .refused(.frameVectorRange(tag, value: value))
        }
        return values
    }
}
