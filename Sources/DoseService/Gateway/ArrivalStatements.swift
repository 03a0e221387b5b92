import Postgres

/// The SQL of arrivals.
enum ArrivalStatements {
    static let begin = Statement(
        "arrival_begin",
        """
        INSERT INTO arrival (receiver, patient_key, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))
        RETURNING id
        """)

    static let renew = Statement(
        "arrival_renew",
        """
        UPDATE arrival SET expires_at = now() + make_interval(secs => $2)
        WHERE id = ANY ($1) AND ended_at IS NULL AND expires_at > now() RETURNING id
        """)

    static let end = Statement(
        "arrival_end", "UPDATE arrival SET ended_at = clock_timestamp() WHERE id = ANY ($1) AND ended_at IS NULL")

    /// What a service that has died held open.
    static let endAll = Statement(
        "arrival_end_all", "UPDATE arrival SET ended_at = now() WHERE receiver = $1 AND ended_at IS NULL")

    /// Something came or was said without an association.
    static let note = Statement(
        "arrival_note",
        """
        INSERT INTO arrival (receiver, patient_key, expires_at, ended_at, forced)
        SELECT $1, key, now(), now(), $3 FROM unnest($2::text[]) AS key
        """)
}
