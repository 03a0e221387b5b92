import Foundation

/// An Orthanc that plays the hospital's PACS: what arrives for nuclear medicine it routes to us.
struct DemoArchive {
    static let title = "ORTHANC"

    let process: Companion
    let dicomPort, httpPort: UInt16

    /// - Throws: ``DemoError``.
    init(folder: String, routingTo title: String, port: UInt16) throws(DemoError) {
        guard let dicomPort = LocalRequest.freePort(), let httpPort = LocalRequest.freePort() else {
            throw .notStarted("Orthanc")
        }
        (self.dicomPort, self.httpPort) = (dicomPort, httpPort)
        let configuration = """
            {
              "Name": "Demo PACS", "StorageDirectory": "\(folder)/archive", "IndexDirectory": "\(folder)/archive",
              "DicomAet": "\(Self.title)", "DicomPort": \(dicomPort), "HttpPort": \(httpPort),
              "RemoteAccessAllowed": false, "AuthenticationEnabled": false, "StableAge": 2,
              "DicomAlwaysAllowStore": true, "Plugins": [], "LuaScripts": ["\(folder)/route.lua"],
              "DicomModalities": {"scintivol": ["\(title)", "127.0.0.1", \(port)]}
            }
            """
        let rule = """
            function OnStableSeries(series, tags, metadata)
              local modality = tags['Modality']
              if modality == 'NM' or modality == 'CT' or modality == 'PT' or modality == 'RTSTRUCT' then
                RestApiPost('/modalities/scintivol/store', DumpJson({Resources = {series}, Asynchronous = true}))
              end
            end
            """
        do {
            try FileManager.default.createDirectory(atPath: "\(folder)/archive", withIntermediateDirectories: true)
            try DurableFile.write(Array(configuration.utf8), to: "\(folder)/orthanc.json")
            try DurableFile.write(Array(rule.utf8), to: "\(folder)/route.lua")
        } catch { throw .notStarted("Orthanc") }
        process = try Companion("Orthanc", "Orthanc", ["\(folder)/orthanc.json"], log: "\(folder)/orthanc.log")
    }

    var isUp: Bool { LocalRequest(port: httpPort).get("/system")?.status == 200 }

    /// Orthanc's own answer to a search for the series of dose objects.
    func findDoses() -> String? {
        let query = #"{"Level": "Series", "Expand": true, "Query": {"Modality": "RTDOSE"}}"#
        guard let answer = LocalRequest(port: httpPort).post("/tools/find", json: query), answer.status == 200 else {
            return nil
        }
        return String(decoding: answer.body, as: UTF8.self)
    }

    /// The UIDs of the dose objects that the archive holds.
    func doseInstances() -> [String] {
        struct Found: Decodable {
            let MainDicomTags: [String: String]
        }
        let query = #"{"Level": "Instance", "Expand": true, "Query": {"Modality": "RTDOSE"}}"#
        guard let answer = LocalRequest(port: httpPort).post("/tools/find", json: query), answer.status == 200,
            let found = JSONText.decode([Found].self, from: String(decoding: answer.body, as: UTF8.self))
        else { return [] }
        return found.compactMap { $0.MainDicomTags["SOPInstanceUID"] }
    }
}
