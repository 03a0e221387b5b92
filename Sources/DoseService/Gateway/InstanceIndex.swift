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
                              frame_of_reference_uid, modality, patient_key, byte_count, file_name, calling_title,
                              birth_key, name_key, sex, made_here, acquired_at, is_tomographic, trace)
        SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17 FROM setting
        ON CONFLICT (sop_instance_uid) DO UPDATE SET purged_at = NULL WHERE instance.purged_at IS NOT NULL
        """)

    private static let names = Statement("instance_names", "SELECT file_name FROM instance WHERE purged_at IS NULL")

    /// - Parameter patientKey: ``PatientIdentity/key(_:)`` of the object.
    /// - Throws: `PostgresError`.
    func insert(
        _ object: ScannedObject, fileName: String, patientKey: String, callingTitle: String?, trace: String?
    ) throws(PostgresError) {
        try pool.withConnection { (connection) throws(PostgresError) in
            _ = try connection.query(
                Self.insert,
                [
                    .text(object.sopInstance.description), .text(object.sopClass.description),
                    .text(object.studyInstance.description), .text(object.seriesInstance.description),
                    .optional(object.frameOfReference?.description), .text(object.modality ?? "OT"),
                    .text(patientKey), .integer(Int64(object.byteCount)), .text(fileName),
                    .optional(callingTitle), .optional(PatientIdentity.birthKey(object)),
                    .optional(PatientIdentity.nameKey(object)), .optional(PatientIdentity.sex(object)),
                    .bool(object.isOwnResult), .optional(Self.acquired(object)), .bool(object.isTomographic),
                    .optional(trace),
                ])
        }
    }

    /// Seconds since 1970. A report of an administration is of the day of its study.
    private static func acquired(_ object: ScannedObject) -> Double? {
        let isReport = object.sopClass == .radiopharmaceuticalDoseReport
        let day = isReport ? object.studyDate.flatMap { LocalTimestamp(date: $0, time: "00") } : nil
        return (object.acquiredAt ?? day)?.seconds(since: LocalTimestamp(year: 1970, month: 1, day: 1))
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

    func withTransaction<Value>(
        _ body: (Transaction) throws(PostgresError) -> Value
    ) throws(PostgresError) -> Value {
        try pool.withConnection { (connection) throws(PostgresError) in try connection.transaction(body) }
    }

    func audit(_ event: AuditTrail.Event) throws(PostgresError) {
        try pool.withConnection { (connection) throws(PostgresError) in try AuditTrail.write(event, connection) }
    }
}
