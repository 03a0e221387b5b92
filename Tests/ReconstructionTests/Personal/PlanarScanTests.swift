import Imaging
import Learning
import Reconstruction
import Testing

struct PlanarScanTests {
    init() { #expect(TinyStudy.configured) }

    private func channel(_ index: Int, _ channels: Tensor) throws -> [Float] {
        try channels.slice(1, index..<index + 1).floats()
    }

    /// Channels 13 to 16: per head the correction and its significance.
    @Test func correctionsAreZeroWhenTheMapExplainsTheCounts() throws {
        let dataset = try TinyStudy.dataset()
        let scan = try dataset.makeCase(seed: 1).scan
        let expected = scan.projector.forward(scan.initial.voxels)
        let explained = PlanarScan(
            projector: scan.projector, counts: zip(expected, scan.scatter).map { max($0 + $1, 0) },
            scatter: scan.scatter, initial: scan.initial, unevenness: scan.unevenness)
        let channels = try explained.channels(of: dataset.patient)
        #expect(channels.shape == [1, 17, 25, 15, 25])
        for index in 13..<17 { #expect(try channel(index, channels).allSatisfy { abs($0) < 1e-4 }) }
    }

    @Test func correctionsAskForWhatIsMissing() throws {
        let dataset = try TinyStudy.dataset()
        let scan = try dataset.makeCase(seed: 1).scan
        let primary = scan.projector.forward(scan.initial.voxels)
        // Half as much again everywhere in the first view, nothing missing in the second.
        let boundary = scan.projector.viewOffsets[1]
        let counts = primary.indices.map { primary[$0] * ($0 < boundary ? 1.5 : 1) }
        let more = PlanarScan(
            projector: scan.projector, counts: counts, scatter: scan.scatter.map { _ in 0 }, initial: scan.initial,
            unevenness: scan.unevenness)
        let channels = try more.channels(of: dataset.patient)
        let (correction, other) = (try channel(13, channels), try channel(15, channels))
        let grid = dataset.patient.grid
        let middle = grid.offset(x: 12, y: 7, z: 12)
        // The floor of four counts takes a little of the half.
        #expect(correction[middle] > 0.4 && correction[middle] <= 0.5)
        #expect(abs(other[middle]) < 1e-4)
        #expect(try channel(14, channels)[middle] > 0.5)
    }

    /// What Stage 0 knows of the counts beside the map can ask for less than none.
    @Test func anExpectationBelowZeroIsNone() throws {
        let dataset = try TinyStudy.dataset()
        let scan = try dataset.makeCase(seed: 1).scan
        let primary = scan.projector.forward(scan.initial.voxels)
        for below: Float in [1, 3, 4, 40] {
            let bare = PlanarScan(
                projector: scan.projector, counts: scan.counts, scatter: primary.map { -$0 - below },
                initial: scan.initial, unevenness: scan.unevenness)
            let values = try bare.channels(of: dataset.patient).floats()
            #expect(values.allSatisfy { $0.isFinite && abs($0) <= 10 }, "\(below)")
        }
    }
}
