import DICOM
import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// A disk that fills while objects come. Only root may mount one.
    @Suite(.enabled(if: geteuid() == 0)) struct FullDiskTests {
        private func start(in state: StateFolder, reserve: String) async throws -> RunningService {
            let database = try await onThread { try PrivatePostgres.makeDatabase() }
            return try await RunningService(
                in: state, ["--database-url", database.url, "--disk-reserve", reserve], subcommand: "serve",
                diskMegabytes: 8)
        }

        @Test func whatDoesNotFitIsRefusedAndNothingIsCutShort() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let service = try await start(in: state, reserve: "0")
            let files = try Array(phantom.files("ct").prefix(100))
            let run = try await service.store(files, options: ["--no-halt"])
            let answers = (run.output + run.errors).split(separator: "\n").filter {
                $0.contains("Received Store Response")
            }
            let storedCount = answers.count { $0.contains("(Success)") }
            #expect(answers.count == files.count)
            #expect(storedCount > 10 && storedCount < files.count)
            #expect(answers.allSatisfy { $0.contains("(Success)") || $0.contains("OutOfResources") })

            #expect(try await service.count("SELECT count(*) FROM instance") == storedCount)
            let root = "/proc/\(service.process.identifier)/root\(state.file("state"))"
            let names = try FileManager.default.subpathsOfDirectory(atPath: "\(root)/objects").filter {
                $0.hasSuffix(".dcm")
            }
            #expect(names.count == storedCount)
            for name in names {
                #expect(throws: Never.self) { try ObjectScanner().scan(path: "\(root)/objects/\(name)") }
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(root)/incoming").isEmpty)
            #expect(try await service.get("/livez").status == 200)
            #expect(try await service.end() == 0)
        }

        /// The same peer sends again what was refused, once there is room.
        @Test func itGoesOnWhenThereIsSpaceAgain() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let service = try await start(in: state, reserve: "0")
            let filler = "/proc/\(service.process.identifier)/root\(state.file("state"))/filler"
            try Data(count: 5 << 20).write(to: URL(fileURLWithPath: filler))
            let files = try Array(phantom.files("ct").prefix(25))
            let refused = try await service.store(files, options: ["--no-halt"])
            #expect((refused.output + refused.errors).contains("OutOfResources"))
            try FileManager.default.removeItem(atPath: filler)
            #expect(try await service.store(files).status == 0)
            #expect(try await service.count("SELECT count(*) FROM instance") == files.count)
            #expect(try await service.end() == 0)
        }

        @Test func nobodyIsLetInBelowTheReserve() async throws {
            let phantom = try await SharedPhantom.get()
            let state = try StateFolder()
            let service = try await start(in: state, reserve: "1024")
            let run = try await service.store(phantom.files("nm"))
            #expect(run.status != 0 && (run.output + run.errors).contains("Temporary Congestion"))
            let readiness = try await service.get("/readyz")
            #expect(readiness.status == 503 && readiness.text.contains("\"disk\":\"below-reserve\""))
            #expect(try await service.end() == 0)
        }
    }
}
