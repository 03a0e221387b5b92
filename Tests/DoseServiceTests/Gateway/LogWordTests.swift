import DICOM
import DoseService
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
        let listening = LogWord.fields(of: NetworkError.cannotListen(step: .bind, code: 98))
        #expect(listening == ["error": "cannot-listen", "step": "bind", "code": "98"])
    }

    /// Neither one caller nor many fill the audit.
    @Test func refusalsAreAuditedOncePerMinuteAndKind() {
        let (watch, now) = (RejectionWatch(), ContinuousClock.now)
        #expect(watch.isNew("a", at: now) && !watch.isNew("a", at: now) && watch.isNew("b", at: now))
        #expect(!watch.isNew("a", at: now + .seconds(59)) && watch.isNew("a", at: now + .seconds(61)))
        let later = now + .seconds(200)
        let taken = (0..<1000).count { watch.isNew("caller \($0)", at: later) }
        #expect(taken == RejectionWatch.kindLimit)
    }
}
