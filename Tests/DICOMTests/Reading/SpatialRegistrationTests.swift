import DICOM
import Imaging
import Testing

/// Registrations that join frames of reference.
@Suite struct SpatialRegistrationTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A quarter turn around z and a shift.
    static let turned: [Double] = [0, -1, 0, 10, 1, 0, 0, -20, 0, 0, 1, 5, 0, 0, 0, 1]
    static let identity: [Double] = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]

    /// - Parameter matrices: by the frame of reference that each takes to the registered one; several are steps.
    static func object(registered: String, _ matrices: [(frame: String, steps: [[Double]])]) -> Dataset {
        let dataset = Dataset()
        let uids = UIDGenerator(namespace: "registration")
        dataset.put(.sopClassUID, SOPClass.spatialRegistration.rawValue)
        dataset.put(.sopInstanceUID, uids.uid("instance"))
        dataset.put(.studyInstanceUID, uids.uid("study"))
        dataset.put(.seriesInstanceUID, uids.uid("series"))
        dataset.put(.modality, "REG")
        dataset.put(.contentDate, "20251101")
        dataset.put(.contentTime, "120000")
        dataset.put(.frameOfReferenceUID, registered)
        for (frame, steps) in matrices {
            dataset.append(to: .registrationSequence) { item in
                item.put(.frameOfReferenceUID, frame)
                item.append(to: .matrixRegistrationSequence) { registration in
                    for step in steps {
                        registration.append(to: .matrixSequence) { matrix in
                            matrix.put(.matrixType, "RIGID")
                            matrix.put(.frameOfReferenceTransformationMatrix, decimals: step)
                        }
                    }
                }
            }
        }
        return dataset
    }

    private func read(_ dataset: Dataset) throws -> SpatialRegistration {
        try dataset.write(to: folder.file("reg.dcm"))
        return try SpatialRegistration(fileAt: folder.file("reg.dcm"))
    }

    private func expect(_ left: SIMD3<Double>?, _ right: SIMD3<Double>) {
        let difference = (left ?? SIMD3(repeating: .infinity)) - right
        #expect((difference * difference).sum() < 1e-12)
    }

    @Test func takesPointsFromOneFrameToTheOther() throws {
        let registration = try read(
            Self.object(registered: "1.1", [("1.1", [Self.identity]), ("1.2", [Self.turned])]))
        let point = SIMD3(1.0, 2, 3)
        expect(registration.transform(from: "1.2", to: "1.1")?(point), SIMD3(8, -19, 8))
        expect(registration.transform(from: "1.1", to: "1.2")?(SIMD3(8, -19, 8)), point)
        #expect(registration.transform(from: "1.2", to: "1.3") == nil)
    }

    /// Neither frame is the one that both were registered to, and one of them took two steps.
    @Test func joinsTwoFramesOverAThird() throws {
        let shift: [Double] = [1, 0, 0, 7, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]
        let registration = try read(
            Self.object(registered: "1.1", [("1.2", [Self.turned, shift]), ("1.3", [shift])]))
        // First turned, then shifted, then back by the same shift.
        expect(registration.transform(from: "1.2", to: "1.3")?(SIMD3(1, 2, 3)), SIMD3(8, -19, 8))
    }

    @Test(
        arguments: [
            [2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], [-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1],
            [1, 0.1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0.5, 1],
        ] as [[Double]]) func whatIsNotRigidIsRefused(matrix: [Double]) throws
    {
        #expect(throws: DICOMReadingError.refused(.registrationNotRigid)) {
            try read(Self.object(registered: "1.1", [("1.2", [matrix])]))
        }
    }

    @Test func matricesHaveSixteenNumbers() throws {
        #expect(throws: DICOMReadingError.refused(.valueMalformed(.frameOfReferenceTransformationMatrix))) {
            try read(Self.object(registered: "1.1", [("1.2", [[1, 0, 0]])]))
        }
    }

    /// A quarter turn moves voxels onto voxels, so that nothing is lost.
    @Test func aTurnedSeriesHasItsValuesWhereTheyBelong() throws {
        let volume = try SyntheticPatient.volume(columns: 5, rows: 5, slices: 3, from: 1)
        try SliceWriter.writePET(
            volume, administration: Administration(), study: SyntheticPatient.petStudy, to: folder.folder("pt"))
        let pet = try SeriesReader.readPET(filesAt: folder.files(in: "pt"))
        let registration = try read(Self.object(registered: "1.1", [("1.2", [Self.turned])]))
        let transform = try #require(registration.transform(from: "1.2", to: "1.1"))
        let moved = try pet.moved(by: transform, into: "1.1")
        #expect(moved.frameOfReferenceUID == "1.1" && moved.sources == pet.sources)
        let grid = pet.volume.grid
        for z in 0..<3 {
            for y in 0..<5 {
                for x in 0..<5 {
                    let place = transform(grid.position(x: Double(x), y: Double(y), z: Double(z)))
                    let index = moved.volume.grid.index(of: place)
                    let found = moved.volume[
                        Int(index.x.rounded()), Int(index.y.rounded()), Int(index.z.rounded())]
                    #expect(abs(found - pet.volume[x, y, z]) < 1e-3)
                }
            }
        }
    }
}
