import DoseService
import Foundation
import Jobs
import Postgres
import TestSupport
import Testing

/// The tables of states, and that the database knows the same ones.
@Suite struct StateTests {
    private static let caseEdges: [CaseState: Set<CaseState>] = [
        .collecting: [.needsInput, .ready], .needsInput: [.needsInput, .ready],
        .ready: [.needsInput, .ready, .reconstructing, .failed],
        .reconstructing: [.needsInput, .ready, .review, .exporting, .delivered, .failed],
        .review: [.needsInput, .ready, .exporting, .failed],
        .exporting: [.needsInput, .ready, .delivered, .failed], .delivered: [.needsInput, .ready],
        .failed: [.needsInput, .ready],
    ]

    @Test(arguments: CaseState.allCases)
    func everyStepOfACase(from state: CaseState) {
        for next in CaseState.allCases {
            let isEdge = Self.caseEdges[state]?.contains(next) == true
            #expect(state.successors.contains(next) == isEdge, "\(state) to \(next)")
            // SQL may also repeat a state, as a second attempt of a job does.
            #expect(next.predecessors.contains(state.rawValue) == (isEdge || state == next))
        }
    }

    private static let cycleEdges: [CycleState: Set<CycleState>] = [
        .collecting: [.needsInput, .ready], .needsInput: [.needsInput, .ready],
        .ready: [.needsInput, .ready, .computing, .failed],
        .computing: [.needsInput, .ready, .review, .exporting, .delivered, .failed],
        .review: [.needsInput, .ready, .exporting, .failed],
        .exporting: [.needsInput, .ready, .delivered, .failed], .delivered: [.needsInput, .ready],
        .failed: [.needsInput, .ready],
    ]

    /// Nothing is sent unseen but where the site says so, and never what failed a check.
    @Test func onlyAnAutomaticDoseThatPassesGoesUnseen() {
        #expect(!DosePolicy.automatic.waits(afterFailedCheck: false))
        #expect(DosePolicy.automatic.waits(afterFailedCheck: true))
        for policy in [DosePolicy.off, .approval] { #expect(policy.waits(afterFailedCheck: false), "\(policy)") }
    }

    @Test(arguments: CycleState.allCases)
    func everyStepOfACycle(from state: CycleState) {
        for next in CycleState.allCases {
            let isEdge = Self.cycleEdges[state]?.contains(next) == true
            #expect(state.successors.contains(next) == isEdge, "\(state) to \(next)")
            #expect(next.predecessors.contains(state.rawValue) == (isEdge || state == next))
        }
    }

    @Test(
        arguments: [
            (.pending, [.sending]), (.sending, [.pending, .stored, .refused]),
            (.stored, [.confirmed, .pending, .refused]), (.confirmed, []), (.refused, []),
        ] as [(ExportState, Set<ExportState>)])
    func everyStepOfAnExport(from state: ExportState, successors: Set<ExportState>) {
        #expect(state.successors == successors)
    }

    @Test(arguments: [
        ("dose_case", CaseState.allCases.map(\.rawValue)), ("export_item", ExportState.allCases.map(\.rawValue)),
        ("cycle", CycleState.allCases.map(\.rawValue)), ("job", JobState.allCases.map(\.rawValue)),
    ])
    func theDatabaseAllowsTheSameStates(table: String, states: [String]) async throws {
        let allowed = try await onThread {
            let connection = try Connection(try PrivatePostgres.makeDatabase())
            let sql = """
                SELECT string_agg(found[1], ',' ORDER BY found[1]) AS states FROM pg_constraint,
                LATERAL regexp_matches(pg_get_constraintdef(oid), '''([a-z-]+)''', 'g') AS found
                WHERE conrelid = $1::text::regclass AND contype = 'c' AND conname = $1 || '_state_check'
                """
            return try connection.queryOne(Statement("test.states", sql), [.text(table)])["states"] as String
        }
        #expect(allowed == states.sorted().joined(separator: ","))
    }
}
