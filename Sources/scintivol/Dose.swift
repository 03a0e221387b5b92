import ArgumentParser
import DoseService

struct Dose: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Absorbed dose from the activity maps of one administration: RT Dose, tables and a report.")

    @Option(
        parsing: .upToNextOption, help: "RT Dose activity maps in the order of their times.", completion: .file())
    var activity: [String]
    @Option(help: "Folder with the CT and, if there are any, contours and PET.") var anatomy: String?
    @Option(help: "Folder to write to.") var out: String
    @Option(parsing: .unconditional, help: "Administered activity in MBq.") var administeredMbq: Double
    @Option(help: "Time of the administration, YYYYMMDDHHMMSS.") var administeredAt: String
    @Option(help: "Radionuclide such as 177Lu, for maps that do not name it.") var isotope: String?
    @Option(help: "voxel-kernel or local-deposition.") var method = DoseMethod.voxelKernel.rawValue
    @Option(help: "dose.json of a cycle before; may be repeated.") var earlier: [String] = []
    @Option(help: "A quantitative SPECT in Bq/mL on the CT's frame of reference: it says how much there is.")
    var spect: String?
    @Flag(help: "A curve for every voxel, held by that of its region.") var perVoxel = false
    @Flag(help: "Print the result as JSON.") var json = false

    func validate() throws {
        guard DoseMethod(rawValue: method) != nil else {
            throw ValidationError("--method is one of \(DoseMethod.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard administeredMbq > 0, administeredMbq.isFinite else {
            throw ValidationError("--administered-mbq is a positive number, not \(administeredMbq)")
        }
        guard OfflineDose.isTime(administeredAt) else {
            throw ValidationError("--administered-at is a time as 20240325100000, not '\(administeredAt)'")
        }
        guard !activity.isEmpty else { throw ValidationError("--activity is needed at least once") }
    }

    func run() throws {
        let summary = try OfflineDose(
            activityFiles: activity, anatomyFolder: anatomy, earlierFiles: earlier,
            administeredMegabecquerel: administeredMbq, administeredAt: administeredAt, radionuclide: isotope,
            method: DoseMethod(rawValue: method) ?? .voxelKernel, perVoxel: perVoxel,
            spectFile: spect, outputFolder: out
        ).perform(progress: Terminal.progress)
        print(json ? try OfflineReport.json(summary) : DoseText.table(summary))
    }
}
