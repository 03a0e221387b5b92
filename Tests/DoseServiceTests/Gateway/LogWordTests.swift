import DICOM
import DoseService
import Jobs
import Postgres
import Testing

/// What stands in a log line is a word, not the source text of a value.
@Suite struct LogWordTests {
    @Test func casesAreWords() {
        #expect(LogWord.of(AssociationEnd.protocolViolation) == "protocol-violation")
        #expect(LogWord.of(NetworkError.refused(status: 0xA700)) == "refused")
        #expect(LogWord.of(PostgresError.parameterHoldsNUL(statement: "s", parameter: 1)) == "parameter-holds-nul")
        #expect(LogWord.status(0x111) == "0111" && LogWord.status(0xA700) == "A700")
    }

    @Test func errorsAreTheirNameAndWhatTheyCarry() {
        let failed = PostgresError.statementFailed(
            statement: "case_find", sqlState: .serializationFailure, constraint: nil)
        let fields = LogWord.fields(of: failed)
        #expect(fields["error"] == "statement-failed" && fields["statement"] == "case_find")
        #expect(fields["sql_state"] == "40001" && fields["constraint"] == nil)
        #expect(LogWord.fields(of: PostgresError.poolExhausted) == ["error": "pool-exhausted"])
        let one = LogWord.fields(of: PostgresError.connectionFailed(reason: "no route"))
        #expect(one == ["error": "connection-failed", "reason": "no route"])
        let wrapped = LogWord.fields(of: JobsError.database(failed))
        #expect(wrapped["error"] == "database" && wrapped["cause"] == "statement-failed")
        #expect(wrapped["sql_state"] == "40001")
        let listening = LogWord.fields(of: NetworkError.cannotListen(step: .bind, code: 98))
        #expect(listening == ["error": "cannot-listen", "step": "bind", "code": "98"])
    }

    /// Neither one caller nor many fill the audit.
    @Test func refusalsAreAuditedOncePerMinuteAndKind() {
        let (watch, now) = (RejectionWatch(), ContinuousClock.now)
        #expect(watch.look("a", at: now) == .new && watch.look("a", at: now) == .known)
        watch.forget("a")
        #expect(watch.look("a", at: now) == .new && watch.look("b", at: now) == .new)
        #expect(watch.look("a", at: now + .seconds(59)) == .known)
        #expect(watch.look("a", at: now + .seconds(61)) == .new)
        let looks = (0..<1000).map { watch.look("caller \($0)", at: now + .seconds(200)) }
        #expect(looks.count { $0 == .new } == RejectionWatch.kindLimit - 1 && looks.count { $0 == .flood } == 1)
    }
}
