import Logging
import Reconciliation

extension GitRepository {
    func annotateAlone(commit: String, key: String, note: String) async throws(SourceError) {
        let deadline = ContinuousClock.now + self.configuration.timeout
        guard let commit = ObjectID(commit) else {
            throw self.label.error(.refused, "'\(self.label.shown(commit))' is not the full id of a commit")
        }
        try await self.openForServer(until: deadline)
        do throws(SourceError) {
            try await self.write(commit, key: key, note: note, until: deadline)
        } catch {
            guard error.code == .unreadable else { throw error }
            try await self.rebuild(because: error, at: self.lastReference, until: deadline)
            try await self.write(commit, key: key, note: note, until: deadline)
        }
    }

    private func write(
        _ commit: ObjectID,
        key: String,
        note: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) {
        for _ in 1...Self.attempts {
            let parent = try await self.fetchNotes(until: deadline)
            guard let change = try self.change(commit, key: key, note: note, parent: parent) else { return }
            try self.reading { store throws(ObjectStore.Failure) in try store.set(Reference.outbox, to: change) }
            switch try await self.push(Reference.outbox, to: Reference.remoteNotes, until: deadline) {
            case .done:
                try self.reading { store throws(ObjectStore.Failure) in try store.set(Reference.notes, to: change) }
                await self.compactIfNeeded(until: deadline)
                return
            case .overtaken:
                continue
            case .refused(let why):
                throw self.label.error(
                    .refused,
                    "the server does not take notes on \(Reference.remoteNotes): \(why). Allow these credentials to "
                        + "push there, or turn notes off"
                )
            }
        }
        throw self.label.error(
            .refused,
            "\(Reference.remoteNotes) was written by others each of \(Self.attempts) times that a note was pushed",
            .retry
        )
    }

    /// Brings the newest notes commit of the server; nothing when it has none.
    private func fetchNotes(until deadline: ContinuousClock.Instant) async throws(SourceError) -> ObjectID? {
        guard let remote = try await self.remoteTarget(of: Reference.remoteNotes, until: deadline) else { return nil }
        let known = try self.reading { store throws(ObjectStore.Failure) in try store.target(of: Reference.notes) }
        if known == remote { return remote }
        try await self.bring(Reference.remoteNotes, ["--depth=1"], into: Reference.notes, until: deadline)
        return try self.reading { store throws(ObjectStore.Failure) in try store.target(of: Reference.notes) }
    }

    /// The commit that holds the note; nothing when `parent` holds it already.
    private func change(_ commit: ObjectID, key: String, note: String, parent: ObjectID?) throws(SourceError)
        -> ObjectID?
    {
        let limit = self.configuration.limits.noteBytes
        let existing = try self.reading { store throws(ObjectStore.Failure) -> ObjectStore.Note? in
            guard let parent else { return nil }
            return try store.note(of: commit, in: parent)
        }
        var bytes: [UInt8]?
        if let existing {
            bytes = try self.reading { store throws(ObjectStore.Failure) in
                try store.blob(existing.blob, limit: limit)
            }
            guard bytes != nil else { throw self.tooLong(commit) }
        }
        var merged: [UInt8]?
        do throws(NoteDocument.Refusal) {
            merged = try NoteDocument.setting(key, to: note, in: bytes)
        } catch {
            throw self.label.error(.refused, error.reason)
        }
        guard let merged else { return nil }
        guard merged.count <= limit else { throw self.tooLong(commit) }
        let message = "Note the rollout of \(PrintableText.line(key, limit: 200))\n\nOn commit \(commit.text).\n"
        return try self.reading { store throws(ObjectStore.Failure) in
            try store.commitNote(merged, at: existing?.path, of: commit, parent: parent, message: message)
        }
    }

    private func tooLong(_ commit: ObjectID) -> SourceError {
        self.label.error(
            .tooLarge,
            "the note on \(commit.text) would have, or has, more than \(self.configuration.limits.noteBytes) bytes: "
                + "shorten it with git notes --ref=rollouts edit \(commit.text), and push it"
        )
    }
}
