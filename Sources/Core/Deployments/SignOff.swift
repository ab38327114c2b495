/// What must say yes at one place of a rollout, besides the gates of its steps: a person, services, programs.
package struct SignOff: Hashable, Codable, Sendable {
    /// Whether somebody has to say `controller promote`.
    package var needsApproval: Bool
    /// None of them compares: each judges the one revision alone.
    package var gates: [Gate]

    package init(needsApproval: Bool = false, gates: [Gate] = []) {
        self.needsApproval = needsApproval
        self.gates = gates
    }

    /// `an approval, gate change-window`
    package static func words(needsApproval: Bool, gates: [String]) -> String {
        ((needsApproval ? ["an approval"] : []) + gates.map { "gate \($0)" }).joined(separator: ", ")
    }

    /// Where a rollout may be told to wait.
    package enum Place: String, Hashable, Codable, Sendable, CaseIterable {
        /// Before the first replica of the revision starts.
        case beforeRollout
        /// After the last step, before the revision gets all traffic.
        case beforePromotion
        /// While it bakes: what it replaced stays warm until then.
        case afterPromotion
    }
}

extension SignOff {
    /// Who asks a gate: an answer is for this revision at this place, and for no other.
    package struct Asker: Hashable, Codable, Sendable {
        package var place: Place
        package var revision: Revision

        package init(_ place: Place, _ revision: Revision) {
            (self.place, self.revision) = (place, revision)
        }
    }
}

extension SignOff.Place: CustomStringConvertible {
    package var description: String {
        switch self {
        case .beforeRollout: "before the rollout"
        case .beforePromotion: "before the promotion"
        case .afterPromotion: "after the promotion"
        }
    }
}

/// The sign-offs of a rollout; nothing where none is wanted.
package struct SignOffs: Hashable, Codable, Sendable {
    package var beforeRollout: SignOff?
    package var beforePromotion: SignOff?
    package var afterPromotion: SignOff?

    package init(beforeRollout: SignOff? = nil, beforePromotion: SignOff? = nil, afterPromotion: SignOff? = nil) {
        self.beforeRollout = beforeRollout
        self.beforePromotion = beforePromotion
        self.afterPromotion = afterPromotion
    }

    package subscript(place: SignOff.Place) -> SignOff? {
        get {
            switch place {
            case .beforeRollout: self.beforeRollout
            case .beforePromotion: self.beforePromotion
            case .afterPromotion: self.afterPromotion
            }
        }
        set {
            switch place {
            case .beforeRollout: self.beforeRollout = newValue
            case .beforePromotion: self.beforePromotion = newValue
            case .afterPromotion: self.afterPromotion = newValue
            }
        }
    }
}
