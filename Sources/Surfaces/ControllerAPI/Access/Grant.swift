/// What somebody may do, and where.
package struct Grant: Codable, Hashable, Sendable {
    /// A role's verbs, and the others that are named beside it.
    package var role: Role?
    package var verbs: [AccessVerb]
    /// Nothing for all, and for what belongs to none.
    package var namespaces: [String]?

    package init(role: Role? = nil, verbs: [AccessVerb] = [], namespaces: [String]? = nil) {
        self.role = role
        self.verbs = verbs
        self.namespaces = namespaces
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            role: try container.decodeIfPresent(Role.self, forKey: .role),
            verbs: try container.decodeIfPresent([AccessVerb].self, forKey: .verbs) ?? [],
            namespaces: try container.decodeIfPresent([String].self, forKey: .namespaces)
        )
    }

    /// Whoever acts somewhere sees it. Only telling of labels is a program's, which need not.
    package func gives(_ verb: AccessVerb, in namespace: String?) -> Bool {
        if let namespaces = self.namespaces {
            guard let namespace, namespaces.contains(namespace) else { return false }
        }
        let all = (self.role?.verbs ?? []).union(self.verbs)
        return all.contains(verb) || (verb == .view && all.contains { $0.letsSee })
    }

    /// `operator in search, ranking`
    package var description: String {
        let what = [self.role?.rawValue].compactMap { $0 } + self.verbs.map(\.rawValue)
        return what.joined(separator: " and ") + (self.namespaces.map { " in \($0.joined(separator: ", "))" } ?? "")
    }
}

/// What is allowed one by one, so that somebody on call can have exactly `pause` and `rollback`.
package enum AccessVerb: String, Codable, Hashable, Sendable, CaseIterable {
    /// Everything that is only read, logs of replicas included.
    case view
    case pause, resume, promote, abort, rollback, retry, prune
    /// Past a gate that failed.
    case force
    /// Another version of a model is proposed to git.
    case promoteModel = "promote-model"
    /// Labels of answers are told.
    case feedback
    /// Freezes begin and end.
    case freeze
    /// What everybody did is read.
    case audit
    /// Receivers of notifications are tried; only in all namespaces.
    case notify
    /// Others' tokens are made and revoked.
    case tokens

    var letsSee: Bool { ![.feedback, .notify, .tokens, .audit].contains(self) }
}

package enum Role: String, Codable, Hashable, Sendable, CaseIterable {
    case viewer, `operator`, admin

    package var verbs: Set<AccessVerb> {
        switch self {
        case .viewer: [.view]
        case .operator: Set(AccessVerb.allCases).subtracting([.force, .audit, .tokens])
        case .admin: Set(AccessVerb.allCases)
        }
    }
}

extension OperatorRequest.Verb {
    package var access: AccessVerb {
        switch self {
        case .pause: .pause
        case .resume: .resume
        case .promote: .promote
        case .abort: .abort
        case .rollback: .rollback
        case .retry: .retry
        case .prune: .prune
        }
    }
}

extension BatchRequest.Verb {
    package var access: AccessVerb {
        switch self {
        case .pause: .pause
        case .resume: .resume
        }
    }
}
