/// The site's description as REST shows it.
struct ConfigurationView: Codable, Equatable {
    enum Source: String, Codable {
        case rest, file, none
    }

    /// Where the description in use comes from.
    let source: Source
    /// Of a description by REST.
    let id: Int64?
    let createdBy: String?
    /// Seconds since 1970.
    let createdAt: Double?
    let document: JSONValue?
    /// What is wrong with the description by REST, which is not in use then.
    let problems: [ConfigurationProblem]
    /// Keys that differ from what the service was started with and are read at the next start.
    let restartNeeded: [String]

    enum CodingKeys: String, CodingKey {
        case source, id, document, problems
        case createdBy = "created_by"
        case createdAt = "created_at"
        case restartNeeded = "restart_needed"
    }

    init(_ stored: StoredConfiguration?, _ site: SiteSettings) {
        problems = site.problems
        if let stored, stored.document != nil {
            (source, document) = (.rest, stored.document)
            (id, createdBy, createdAt) = (stored.id, stored.createdBy, stored.createdAt)
        } else {
            (source, document) = (site.file == nil ? .none : .file, site.file?.document)
            (id, createdBy, createdAt) = (nil, nil, nil)
        }
        let (now, then) = (Self.members(document), Self.members(site.startDocument))
        restartNeeded = SiteSettings.keysOfStart.filter { now[$0] != then[$0] }
    }

    private static func members(_ document: JSONValue?) -> [String: JSONValue] {
        if case .object(let members) = document { members } else { [:] }
    }
}
