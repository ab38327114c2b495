/// What may go wrong behind the ports.
package enum Fault: Hashable, Sendable {
    // These last.
    case platformOutage, routerOutage, journalOutage, gitOutage, notesOutage
    /// The router reports its configuration but no counters, or not those of one revision.
    case countersOutage, partialCounters
    /// The metric provider is down, finds nothing, answers with no number.
    case providerOutage, providerSilence, providerNonsense
    /// Artifacts cannot be had: the disk is full.
    case artifactOutage
    /// No requests at all.
    case silence
    /// Every revision answers with errors: what they all need is down.
    case incident
    /// Looks at the platform, the router and the metrics arrive late, with the time of the look.
    case lateLooks

    // These strike the next one of their kind.
    case effectFails
    /// It was done all the same.
    case effectAnswerLost
    /// The clock goes on during the call.
    case slowCall
    case routerSlow
    /// The router goes back to the table before, until it is told once more.
    case routerForgets
    case routerRejects
    case counterReset
    case replicaCrash, replicaFlap
    case clockForward, clockBackward
    case journalFails
    /// It was written all the same.
    case journalAnswerLost
    case settleFails
    case noteAnswerLost
    case artifactLost
    /// The next start of the controller finds an empty journal.
    case journalLost
    /// The controller is killed at the next call of the kind.
    case kill(Call, Moment)

    /// What a controller does that a kill may strike.
    package enum Call: String, CaseIterable, Hashable, Sendable {
        case append, settle, annotate, route, fetch, start, drain, undrain, stop, look, poll
    }

    package enum Moment: String, CaseIterable, Hashable, Sendable { case before, after }

    package static let lasting: [Fault] = [
        .platformOutage, .routerOutage, .journalOutage, .gitOutage, .notesOutage, .countersOutage, .partialCounters,
        .providerOutage, .providerSilence, .providerNonsense, .artifactOutage, .silence, .incident, .lateLooks,
    ]

    package static let striking: [Fault] = [
        .effectFails, .effectAnswerLost, .slowCall, .routerSlow, .routerForgets, .routerRejects, .counterReset,
        .replicaCrash, .replicaFlap, .clockForward, .clockBackward, .journalFails, .journalAnswerLost, .settleFails,
        .noteAnswerLost, .artifactLost, .journalLost,
    ]

    package static let kills: [Fault] = Call.allCases.flatMap { call in Moment.allCases.map { .kill(call, $0) } }
}

extension Fault {
    package var name: String {
        if case .kill(let call, let moment) = self { return "kill \(moment.rawValue) \(call.rawValue)" }
        return "\(self)"
    }
}
