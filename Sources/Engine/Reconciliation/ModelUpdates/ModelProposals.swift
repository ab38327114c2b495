package import Deployments

/// What was proposed to a deployment's manifest, oldest first. It is journaled, so that nothing is proposed twice.
package struct ModelProposals: Hashable, Codable, Sendable {
    package struct Entry: Hashable, Codable, Sendable {
        package var model: String
        package var version: Int
        package var time: Timestamp
        /// Git was seen to name it.
        package var isInGit: Bool
        /// What was done, in words; nothing as long as nothing was.
        package var outcome: String?
        /// Nothing was written for this commit's manifest.
        package var refusedFor: String?

        package init(model: String, version: Int, time: Timestamp, isInGit: Bool = false) {
            self.model = model
            self.version = version
            self.time = time
            self.isInGit = isInGit
        }
    }

    package private(set) var entries: [Entry] = []

    /// More would only be of models that were forgotten long ago.
    private static let limit = 50

    package init() {}

    package func entry(of model: String, _ version: Int) -> Entry? {
        self.entries.last { $0.model == model && $0.version == version }
    }

    /// The one of a model that came last.
    package func newest(of model: String) -> Entry? { self.entries.last { $0.model == model } }

    package mutating func add(_ entry: Entry) {
        self.entries.removeAll { $0.model == entry.model && $0.version == entry.version }
        self.entries.append(entry)
        self.entries.removeFirst(max(0, self.entries.count - Self.limit))
    }

    /// Git names this version now.
    package mutating func noteInGit(_ model: String, _ version: Int) {
        for index in self.entries.indices where self.entries[index].isOf(model, version) {
            self.entries[index].isInGit = true
        }
    }

    /// What became of a proposal.
    package mutating func note(_ model: String, _ version: Int, outcome: String, refusedFor: String?) {
        for index in self.entries.indices where self.entries[index].isOf(model, version) {
            self.entries[index].outcome = outcome
            self.entries[index].refusedFor = refusedFor
        }
    }
}

extension ModelProposals.Entry {
    fileprivate func isOf(_ model: String, _ version: Int) -> Bool { self.model == model && self.version == version }
}
