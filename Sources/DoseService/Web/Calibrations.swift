import Imaging
import Postgres
import Tomography

/// A camera's description as REST keeps it.
struct CalibrationView: Codable, Equatable, Sendable {
    let id: Int64
    let site: CameraSite
    let createdBy: String
    /// Seconds since 1970.
    let createdAt: Double
    let withdrawnAt: Double?

    enum CodingKeys: String, CodingKey {
        case id, site
        case createdBy = "created_by"
        case createdAt = "created_at"
        case withdrawnAt = "withdrawn_at"
    }

    /// Nil when the row holds no description that this program understands.
    init?(_ row: Row) throws(PostgresError) {
        guard let site = JSONText.decode(CameraSite.self, from: try row["site"]) else { return nil }
        self.site = site
        (id, createdBy) = (try row["id"], try row["created_by"])
        (createdAt, withdrawnAt) = (try row["created_at"], try row["withdrawn_at"])
    }
}

/// The rows of cameras that were described by REST.
enum Calibrations {
    private static let columns = "id, site, created_by, created_at, withdrawn_at"

    private static let insert = Statement(
        "calibration_insert",
        """
        INSERT INTO calibration (station, isotope, site, source, measured_on, valid_until, created_by)
        VALUES ($1, $2, $3, $4, $5::date, $6::date, $7) RETURNING \(columns)
        """)

    private static let list = Statement(
        "calibration_list",
        """
        SELECT \(columns) FROM calibration WHERE ($1::bigint IS NULL OR id < $1) ORDER BY id DESC LIMIT $2
        """)

    private static let withdraw = Statement(
        "calibration_withdraw",
        """
        UPDATE calibration SET withdrawn_at = coalesce(withdrawn_at, now()) WHERE id = $1 RETURNING \(columns)
        """)

    private static let valid = Statement(
        "calibration_valid",
        """
        SELECT \(columns) FROM calibration
        WHERE withdrawn_at IS NULL AND (valid_until IS NULL OR valid_until >= current_date)
        ORDER BY measured_on DESC, id DESC LIMIT 1000
        """)

    static func add(
        _ site: CameraSite, by name: String, _ runner: some StatementRunner
    ) throws(PostgresError) -> CalibrationView? {
        let row = try runner.queryOne(
            insert,
            [
                .text(site.station), .text(site.isotope), .json(JSONText.encode(site)), .text(site.source ?? ""),
                .optional(site.measuredOn), .optional(site.validUntil), .text(name),
            ])
        return try CalibrationView(row)
    }

    static func list(
        before: Int64?, limit: Int, _ runner: some StatementRunner
    ) throws(PostgresError) -> [CalibrationView] {
        var views: [CalibrationView] = []
        for row in try runner.query(list, [.optional(before), .integer(Int64(limit))]) {
            if let view = try CalibrationView(row) { views.append(view) }
        }
        return views
    }

    /// - Returns: nil when there is no such calibration.
    static func withdraw(_ id: Int64, _ runner: some StatementRunner) throws(PostgresError) -> CalibrationView? {
        guard let row = try runner.query(withdraw, [.integer(id)]).first else { return nil }
        return try CalibrationView(row)
    }

    /// The cameras that hold today, the latest measured first.
    static func sites(_ runner: some StatementRunner) throws(PostgresError) -> [CameraSite] {
        var sites: [CameraSite] = []
        for row in try runner.query(valid, []) {
            if let view = try CalibrationView(row) { sites.append(view.site) }
        }
        return sites
    }

    /// No number of a camera is larger, whatever its unit.
    private static let measureLimit = 1e6

    /// - Returns: which member is impossible, or nil.
    static func flaw(in site: CameraSite) -> String? {
        func isDate(_ text: String) -> Bool { text.wholeMatch(of: #/\d{4}-\d{2}-\d{2}/#) != nil }
        func isMeasure(_ value: Double) -> Bool { value > 0 && value <= measureLimit }
        func isEnergy(_ text: String) -> Bool { text.wholeMatch(of: #/[1-9][0-9]{0,3}/#) != nil }
        let positive = [
            site.collimator.holeDiameterMillimetres, site.collimator.holeLengthMillimetres,
            site.energyResolution140Percent, site.tubeVoltage,
        ]
        let notNegative = [
            site.collimator.septaMillimetres, site.collimator.intrinsicResolution140Millimetres,
            site.couchWaterEquivalentMillimetres, site.couchThicknessMillimetres,
        ]
        let texts = [site.station, site.isotope, site.source ?? ""]
        if texts.contains(where: { $0.unicodeScalars.count > 200 || $0.utf8.contains(0) }) || site.station.isEmpty {
            return "station"
        }
        if !Radionuclide.known.contains(where: { $0.name == site.isotope }) { return "isotope" }
        if positive.contains(where: { !isMeasure($0) }) || (try? site.makeCollimator()) == nil { return "collimator" }
        if notNegative.contains(where: { $0 != 0 && !isMeasure($0) }) { return "collimator" }
        if site.fieldOfViewMillimetres.count != 2 || site.fieldOfViewMillimetres.contains(where: { !isMeasure($0) }) {
            return "field_of_view_mm"
        }
        for (energy, value) in site.calibration ?? [:] where !isEnergy(energy) || !isMeasure(value) {
            return "calibration_cps_per_mbq_per_head"
        }
        // A calibration without its day and its origin is not one.
        guard let day = site.measuredOn, isDate(day) else { return "measured_on" }
        if let end = site.validUntil, !isDate(end) { return "valid_until" }
        return (site.source ?? "").isEmpty ? "source" : nil
    }
}
