import DICOM
import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Well-formed objects that state what cannot be: each is kept, its case says why nothing comes of it, and the
    /// service goes on.
    @Suite struct UnusableObjectTests {
        /// What a planar image is made to say, and the reason of its case.
        struct Statement: Sendable {
            let code: String
            let make: @Sendable (Dataset) throws -> Void

            init(_ code: String, _ make: @escaping @Sendable (Dataset) throws -> Void) {
                (self.code, self.make) = (code, make)
            }

            /// - Parameter text: that stands where there should be decimal strings.
            static func decimals(_ tag: AttributeTag, _ text: String) -> Statement {
                Statement("nm-value-malformed") { $0.put(tag, text) }
            }
        }

        static let statements: [Statement] = [
            .decimals(.pixelSpacing, "NaN\\NaN"), .decimals(.pixelSpacing, "inf\\4.8"),
            .decimals(.pixelSpacing, "4,8\\4,8"), .decimals(.scanVelocity, "1e999"),
            Statement("nm-frame-vector-length") { dataset in
                dataset.put(.detectorVector, integers: try dataset.integers(.detectorVector).dropLast())
            },
            Statement("nm-frame-vector-length") { dataset in
                dataset.put(.energyWindowVector, integers: try dataset.integers(.energyWindowVector) + [1])
            },
            Statement("nm-frame-vector-range") { dataset in
                dataset.put(.detectorVector, integers: try dataset.integers(.detectorVector).map { $0 + 60_000 })
            },
        ]

        @Test func eachIsKeptAndItsCaseSaysWhyItFails() async throws {
            let (phantom, state) = (try await SharedPhantom.get(), try StateFolder())
            let service = try await RunningService(
                in: state, ["--site", phantom.siteFile, "--quiet-seconds", "0.5"])
            var (files, expected) = ([String](), [String: String]())
            for (number, statement) in Self.statements.enumerated() {
                let dataset = try Dataset(contentsOf: phantom.files("nm")[0])
                let uids = UIDGenerator(namespace: "unusable \(number)")
                dataset.put(.studyInstanceUID, uids.uid("study"))
                dataset.put(.seriesInstanceUID, uids.uid("series"))
                dataset.put(.sopInstanceUID, uids.uid("instance"))
                try statement.make(dataset)
                files.append(state.file("\(number).dcm"))
                try dataset.write(to: files[number])
                expected[uids.uid("study")] = statement.code
            }
            let anatomy = try phantom.files("ct", "pt", "rtstruct")
            #expect(try await service.store(anatomy + files).status == 0)
            let haveFailed = try await eventually(within: .seconds(240)) {
                try await service.count("SELECT count(*) FROM dose_case WHERE state = 'failed'") == files.count
            }
            #expect(haveFailed)
            let reasons = try await service.text(
                "SELECT string_agg(planar_study_uid || ' ' || coalesce(reason, ''), ',') FROM dose_case")
            let found = reasons.split(separator: ",").map { $0.split(separator: " ").map(String.init) }
            #expect(Dictionary(found.map { ($0[0], $0.last ?? "") }) { $1 } == expected)

            // What no retry mends is tried once; what was acknowledged is there. A case ends a moment before its job.
            var jobs: [JobAnswer] = []
            let haveEnded = try await eventually {
                jobs = try await service.jobs()
                return jobs.allSatisfy { $0.finished_at != nil }
            }
            #expect(haveEnded)
            #expect(jobs.count == files.count && jobs.allSatisfy { $0.state == "discarded" && $0.attempt == 1 })
            #expect(try await service.count("SELECT count(*) FROM instance") == anatomy.count + files.count)
            let echo = ["-aec", "SCINTIVOL", "127.0.0.1", "\(service.addresses.dicomPort)"]
            #expect(try await Tool.run("echoscu", echo).status == 0)
            #expect(try await service.end() == 0)
        }
    }
}
