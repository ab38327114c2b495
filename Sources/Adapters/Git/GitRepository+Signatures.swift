import Logging
import Reconciliation

extension GitRepository {
    /// Signatures that were verified and by whose files, so that none is verified twice while a commit waits.
    struct Proven {
        var keys: KeyFiles
        var signers: [ObjectID: SignatureVerifier.Signer] = [:]
    }

    struct Check {
        var commit: ObjectID
        /// Whom to compare its files with for the rules on paths: without any, none applies. Nothing stands for a
        /// commit without files.
        var others: [ObjectID?]
    }

    /// Why a commit is not taken.
    enum Objection: Error {
        case unverified(ObjectID, CommitSignature.Refusal)
        case failed(SourceError)
    }

    /// Whether the last commit taken met what is required now.
    var isVerified: Bool {
        guard let rules = self.configuration.signatures else { return true }
        return self.accepted?.verified == rules.mark
    }

    /// Checks that a commit that is in the store was signed as required.
    ///
    /// - Parameters:
    ///   - commit: The one to take.
    ///   - head: How to ask the server for more of its history.
    ///   - deadline: For all of it.
    /// - Throws: `unverified`, or whatever kept this from being found out; nothing may be taken then.
    func verify(_ commit: ObjectID, of head: Head, until deadline: ContinuousClock.Instant) async throws(SourceError) {
        guard let rules = self.configuration.signatures else { return }
        // What was taken stays taken, whoever's key was removed since.
        if self.isVerified, self.accepted?.commit == commit.text { return }
        let keys = KeyFiles(rules)
        if self.proven?.keys != keys || self.proven?.signers.count ?? 0 > self.configuration.limits.signedCommits {
            self.proven = Proven(keys: keys)
        }
        do throws(Objection) {
            if let path = keys.unreadable {
                throw .unverified(
                    commit,
                    .init(
                        reason: "cannot be verified: \(path) cannot be read; make it exist, at most 8 MiB and readable "
                            + "for the controller's user"
                    )
                )
            }
            switch rules.requirement {
            case .head: try await self.verify([self.headCheck(commit)], keys, until: deadline)
            case .since(let text): try await self.verifyRange(to: commit, since: text, head, keys, until: deadline)
            }
        } catch {
            switch error {
            case .failed(let error): throw error
            case .unverified(let culprit, let refusal):
                let error = self.unverified(culprit, refusal, taking: commit, rules)
                self.standing = Standing(commit: commit.text, error: error, keys: keys, since: .now)
                throw error
            }
        }
        self.proven = nil
    }

    /// Whether what was wrong with a commit need not be looked at again.
    func stillStands(_ standing: Standing) -> Bool {
        guard let keys = standing.keys, let rules = self.configuration.signatures else { return true }
        return keys == KeyFiles(rules) && ContinuousClock.now - standing.since < .seconds(600)
    }

    // MARK: - Verifying

    /// With the files of the last commit taken; without one, all that the new one has is new.
    private func headCheck(_ commit: ObjectID) -> Check {
        let taken = self.accepted.flatMap { ObjectID($0.commit) }
        return Check(commit: commit, others: [taken.flatMap { self.store?.parents(of: $0) == nil ? nil : $0 }])
    }

    func objecting<Result>(
        _ body: (ObjectStore) throws(ObjectStore.Failure) -> Result
    ) throws(Objection) -> Result {
        do throws(SourceError) {
            return try self.reading(body)
        } catch {
            throw .failed(error)
        }
    }

    func verify(
        _ checks: [Check],
        _ keys: KeyFiles,
        until deadline: ContinuousClock.Instant
    ) async throws(Objection) {
        var verifier: SignatureVerifier
        do throws(SourceError) {
            verifier = try SignatureVerifier(
                keys: keys,
                directory: self.directory.verification,
                time: self.configuration.limits.signatureTime,
                searchPath: self.configuration.signatures?.searchPath,
                label: self.label
            )
        } catch {
            throw .failed(error)
        }
        defer { verifier.remove() }
        for check in checks {
            let signer = try await self.signer(of: check.commit, &verifier, until: deadline)
            try self.checkPaths(check, signer)
            guard ContinuousClock.now < deadline else {
                throw .failed(
                    self.label.error(
                        .timedOut,
                        "not all of \(checks.count) commits could be verified before the deadline; the next poll goes "
                            + "on. Raise the repository's timeout if that does not end",
                        .retry
                    )
                )
            }
            self.logger.debug(
                "signature verified",
                metadata: ["commit.id": "\(check.commit.text)", "commit.signer": "\(signer)"]
            )
        }
    }

    /// Comes after the signature: what nobody signed is not worth comparing.
    private func checkPaths(_ check: Check, _ signer: SignatureVerifier.Signer) throws(Objection) {
        guard let rules = self.configuration.signatures, !check.others.isEmpty else { return }
        for path in rules.paths where path.signers.isDisjoint(with: signer.names) {
            guard let pattern = PathPattern(path.pattern) else {
                throw .failed(
                    self.label.error(.notConfigured, "'\(self.label.shown(path.pattern))' names no files of a commit")
                )
            }
            let differs = try self.objecting { store throws(ObjectStore.Failure) in
                try store.differs(check.commit, matching: pattern, from: check.others)
            }
            guard differs else { continue }
            let groups = path.groups.joined(separator: " or ")
            throw .unverified(
                check.commit,
                .init(reason: "changes \(path.pattern), and its signer, \(signer), is not in \(groups)")
            )
        }
    }

    private func signer(
        of commit: ObjectID,
        _ verifier: inout SignatureVerifier,
        until deadline: ContinuousClock.Instant
    ) async throws(Objection) -> SignatureVerifier.Signer {
        if let signer = self.proven?.signers[commit] { return signer }
        let limit = self.configuration.limits.commitBytes
        let bytes = try self.objecting { store throws(ObjectStore.Failure) in
            try store.commitBytes(commit, limit: limit)
        }
        guard let bytes else {
            throw .unverified(commit, .init(reason: "has more than \(limit >> 10) KiB without its files"))
        }
        let signature: CommitSignature
        do throws(CommitSignature.Refusal) {
            signature = try CommitSignature(of: bytes)
        } catch {
            throw .unverified(commit, error)
        }
        do throws(SignatureVerifier.Failure) {
            let signer = try await verifier.signer(of: signature, until: deadline)
            self.proven?.signers[commit] = signer
            return signer
        } catch {
            switch error {
            case .refused(let refusal): throw .unverified(commit, refusal)
            case .failed(let error): throw .failed(error)
            }
        }
    }

    private func unverified(
        _ culprit: ObjectID,
        _ refusal: CommitSignature.Refusal,
        taking commit: ObjectID,
        _ rules: SignatureRules
    ) -> SourceError {
        // The error is about more than what cannot be read of it.
        let shown = try? self.store?.commit(culprit)
        let words = shown.map { " (\"\($0.subject)\", whose author gives the name \"\($0.author)\")" } ?? ""
        let what = culprit == commit ? "" : " brings \(culprit.text)"
        let which = culprit == commit ? "" : ", which"
        let advice =
            switch rules.requirement {
            case .head:
                "Look at it, and push a commit that is signed as required, such as git commit --allow-empty -S: it "
                    + "answers for what is below it"
            case .since:
                "Sign it and what follows it anew (git rebase --exec), or, when you know all up to it to be good, set "
                    + "since to a later commit"
            }
        return self.label.error(
            .unverified,
            "the commit \(commit.text)\(what)\(words)\(which) \(refusal.reason). It is not taken, what was taken "
                + "before stands. \(advice)"
        )
    }
}
