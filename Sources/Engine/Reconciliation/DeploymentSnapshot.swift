package import Analysis
package import Deployments
package import Rollouts

/// What readers may know of a deployment, at one moment.
///
/// A fleet of them is copied whenever one of them is shown anew: a copy shares what it is made of.
package struct DeploymentSnapshot: Sendable {
    private let facts: Facts

    private final class Facts: Sendable {
        /// It shares its rollout, too.
        let member: Member
        let observation: Observation
        let waitingFor: [String]
        let notes: [String]
        let transitions: [Transition]
        let requestsInFlight: Double?
        let history: StableHistory?
        let modelUpdate: Fleet.ModelUpdateState?

        init(
            member: Member,
            observation: Observation,
            waitingFor: [String],
            notes: [String],
            transitions: [Transition],
            requestsInFlight: Double?,
            history: StableHistory?,
            modelUpdate: Fleet.ModelUpdateState?
        ) {
            self.member = member
            self.observation = observation
            self.waitingFor = waitingFor
            self.notes = notes
            self.transitions = transitions
            self.requestsInFlight = requestsInFlight
            self.history = history
            self.modelUpdate = modelUpdate
        }
    }

    package init(
        member: Member,
        observation: Observation,
        waitingFor: [String] = [],
        notes: [String] = [],
        transitions: [Transition] = [],
        requestsInFlight: Double? = nil,
        history: StableHistory? = nil,
        modelUpdate: Fleet.ModelUpdateState? = nil
    ) {
        self.facts = Facts(
            member: member,
            observation: observation,
            waitingFor: waitingFor,
            notes: notes,
            transitions: transitions,
            requestsInFlight: requestsInFlight,
            history: history,
            modelUpdate: modelUpdate
        )
    }

    package var rollout: Rollout { _read { yield self.facts.member.rollout } }
    package var observation: Observation { _read { yield self.facts.observation } }
    package var waitingFor: [String] { self.facts.waitingFor }
    package var notes: [String] { self.facts.notes }
    package var transitions: [Transition] { self.facts.transitions }
    /// Smoothed; nothing when it is not known, or the number of replicas is fixed.
    package var requestsInFlight: Double? { self.facts.requestsInFlight }
    /// What the stable revision counted lately; nothing when it has had no traffic for itself yet.
    package var history: StableHistory? { self.facts.history }
    /// Of those that follow an alias: what is proposed, or why nothing is.
    package var modelUpdate: Fleet.ModelUpdateState? { self.facts.modelUpdate }

    /// What each gate knows, while evidence is weighed. Worked out when somebody reads it.
    package func assessments(at now: Timestamp) -> [GateAssessment] {
        self.rollout.isJudging ? self.rollout.analysis?.assessments(at: now) ?? [] : []
    }
}
