import DICOM
import Postgres

/// The rows of received instances.
struct InstanceIndex: Sendable {
    let pool: Pool

    /// The row can be made anew from the file, so its commit does not wait for the disk: the file has.
    private static let insert = Statement(
        "instance_insert",
        """
        WITH setting AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
        INSERT INTO instance (sop_instance_uid, sop_class_uid, study_instance_uid, series_instance_uid,
                              frame_of_reference_uid, modality, patient_key, byte_count, file_name, calling_title)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM setting
        ON CONFLICT (sop_instance_uid) DO NOTHING
        """)

    private static let names = Statement("instance_names", "SELECT file_name FROM instance")

    private static let audit = Statement(
        "audit_insert", "INSERT INTO audit (actor, action, subject, detail) VALUES ($1, $2, $3, $4)")

    /// - Throws: `PostgresError`.
    func insert(_ object: ScannedObject, fileName: String, callingTitle: String?) throws(PostgresError) {
        try pool.withConnection { (connection) throws(PostgresError) in
            _ = try connection.query(
                Self.insert,
                [
                    .text(object.sopInstance.description), .text(object.sopClass.description),
                    .text(object.studyInstance.description), .text(object.seriesInstance.description),
                    .optional(object.frameOfReference?.description), .text(object.modality ?? "OT"),
                    .text(Self.patientKey(object)), .integer(Int64(object.byteCount)), .text(fileName),
                    .optional(callingTitle),
                ])
        }
    }

    func knownNames() throws(PostgresError) -> Set<String> {
        try pool.withConnection { (connection) throws(PostgresError) in
            var names: Set<String> = []
            for row in try connection.query(Self.names) { names.insert(try row["file_name"]) }
            return names
        }
    }

    /// - Returns: which rows of those written lately are gone.
    func look(_ watch: RowWatch) throws(PostgresError) -> RowWatch.Finding {
        try pool.withConnection { (connection) throws(PostgresError) in try watch.look(connection) }
    }

    func audit(actor: String, action: String, subject: String, detail: String = "{}") throws(PostgresError) {
        try pool.withConnection { (connection) throws(PostgresError) in
            _ = try connection.query(Self.audit, [.text(actor), .text(action), .text(subject), .json(detail)])
        }
    }

    /// Equal for one patient of one issuer; without an identifier every study is a patient of its own.
    static func patientKey(_ object: ScannedObject) -> String {
        guard let identifier = object.patientID, !identifier.isEmpty else {
            return Digest.hex(of: Array("study \(object.studyInstance)".utf8))
        }
        return Digest.hex(of: (object.issuerOfPatientID ?? []) + [0] + identifier)
    }
}
