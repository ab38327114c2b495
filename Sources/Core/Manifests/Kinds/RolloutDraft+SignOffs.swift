import Deployments

extension Shape {
    static let signOff = Shape("signOff", [.optional("approval", "{}"), .optional("gates", "[change-window]")])
}

extension RolloutDraft {
    mutating func decodeSignOffs(_ members: Members) {
        for place in SignOff.Place.allCases {
            guard let field = members[place.rawValue], let content = field.members(of: .signOff) else { continue }
            _ = content["approval"]?.members(of: .approval)
            let draft = SignOffDraft(
                needsApproval: content["approval"] != nil,
                gates: content["gates"]?.gateNames() ?? []
            )
            if !draft.needsApproval, draft.gates.isEmpty {
                field.error("nobody is asked: add `approval: {}`, or `gates: [NAME]`")
            }
            self.signOffs[place] = draft
            switch place {
            case .beforeRollout: break
            case .beforePromotion where self.policy.strategy == .recreate:
                field.conflict(
                    with: members["strategy"],
                    "`recreate` promotes with the first replica: use `beforeRollout` or `afterPromotion`"
                )
            case .beforePromotion: break
            case .afterPromotion where self.policy.bakeTime == .zero:
                field.conflict(
                    with: members["bakeTime"],
                    "without a bake there is nothing left to go back to: set `bakeTime: 10m`, or use `beforePromotion`"
                )
            case .afterPromotion: break
            }
        }
    }
}

extension SignOff {
    /// Checks that a gate can judge one revision alone.
    ///
    /// - Returns: What is wrong and how to mend it; nothing when it can.
    static func objection(to gate: Gate, at place: Place) -> String? {
        switch gate.kind {
        case .threshold, .webhook: return nil
        case .job(let run):
            guard place == .beforeRollout, run.command.contains(where: { $0.contains("${endpoint}") }) else {
                return nil
            }
            return "no replica runs before the rollout: take `${endpoint}` out of the job, or use `beforePromotion`"
        case .errors, .clientErrors, .latency, .slowdown, .ratio, .mean, .drift, .answers, .preset:
            let name = gate.name.inBackticks
            return "\(name) compares with the stable revision: name a `webhook`, a `job` or a `threshold` here, and "
                + "\(name) in `gates` or in a step's"
        }
    }
}
