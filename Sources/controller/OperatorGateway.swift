import ControllerAPI
import ControllerServer
import Deployments
import Feedback
import Foundation
import LocalPlatform
import Manifests
import Reconciliation
import Rollouts

/// Turns what the API is asked into the engine's words, and back.
struct OperatorGateway: Sendable {
    let reconciler: Reconciler
    let labels: FeedbackStore
    let deliveries: WebhookLedger
    let replicaLogs: ReplicaLogs
    let configuration: ConfigurationLedger
    private let views = NewestView()

    func fleet() -> FleetStatus {
        var fleet = FleetStatus(self.reconciler.current)
        fleet.add(self.deliveries)
        fleet.configuration = self.configuration.status
        return fleet
    }

    /// The newest snapshot for readers, the same as long as nothing is new.
    func view() -> FleetView {
        self.views.view(
            of: self.reconciler.current,
            deliveries: self.deliveries,
            configuration: self.configuration.status
        )
    }

    func history(of id: DeploymentID, limit: Int) async throws -> [EventStatus] {
        try await self.reconciler.ports.journal.history(of: id, limit: limit).map {
            EventStatus($0.transition, of: $0.deployment)
        }
    }

    func logs(of id: DeploymentID) -> [LogStatus] {
        let replicas = self.reconciler.current.deployments[id]?.observation.replicas.last ?? []
        let current = Set(replicas.map { "\($0.id.revision.short)-\($0.id.ordinal)" })
        return self.replicaLogs.files(of: id).map {
            LogStatus(
                replica: $0.replica,
                size: $0.size,
                modified: $0.modified,
                isCurrent: current.contains($0.replica)
            )
        }
    }

    func log(_ replica: String, of id: DeploymentID, from offset: Int64) -> LogPiece? {
        self.replicaLogs.read(replica, of: id, from: offset, limit: APIRoute.logLimit).map { piece in
            // A character whose end is not there yet is left to whoever goes on.
            let bytes = piece.bytes.dropLast(LogPiece.unfinished(piece.bytes))
            return LogPiece(
                replica: replica,
                offset: piece.offset,
                next: piece.offset + Int64(bytes.count),
                text: String(decoding: bytes, as: UTF8.self)
            )
        }
    }

    func traffic(of id: DeploymentID) -> TrafficStatus? {
        guard let deployment = self.reconciler.current.deployments[id], let history = deployment.history,
            let spec = deployment.rollout.desired ?? deployment.rollout.stable
        else { return nil }
        return TrafficStatus(history, of: id, by: spec)
    }

    func spec(of id: DeploymentID) async -> SpecStatus? {
        guard let (spec, origin) = await self.reconciler.explain(id) else { return nil }
        return SpecStatus(
            deployment: id.description,
            repository: origin.repository,
            branch: origin.branch,
            commit: origin.commit,
            file: spec.file,
            values: spec.values.map { SpecStatus.Value(field: $0.field, value: $0.text, origin: $0.origin) },
            problems: spec.problems.map(\.description)
        )
    }

    /// Only what the revisions that have a part now have answered is counted.
    func tell(_ labels: [FeedbackLabel], of id: DeploymentID) async -> FeedbackAnswer {
        let parts = self.reconciler.current.deployments[id]?.rollout.specs.map(\.revision) ?? []
        let receipt = await self.labels.take(
            labels.map { FeedbackStore.Label(id: $0.id, isCorrect: $0.isCorrect, value: $0.value) },
            of: id,
            parts: Set(parts)
        )
        return FeedbackAnswer(
            counted: receipt.counted,
            repeated: receipt.repeated,
            unknown: receipt.strangers.values.reduce(0, +),
            unknownRevisions: Array(receipt.strangers.keys)
        )
    }

    func perform(_ request: OperatorRequest, on id: DeploymentID) async -> OperatorAnswer {
        let verb: Command.Verb
        switch request.verb {
        case .pause: verb = .pause(until: request.until.map { Timestamp($0) })
        case .resume: verb = .resume
        case .promote: verb = .promote(full: request.full, force: request.force)
        case .abort: verb = .abort
        case .retry: verb = .retry
        case .prune: return self.answer(await self.reconciler.prune(id, by: request.by))
        case .rollback:
            switch self.revision(named: request.to, of: id) {
            case .success(let revision): verb = .rollback(to: revision)
            case .failure(let refusal): return OperatorAnswer(accepted: false, changed: false, message: refusal.message)
            }
        }
        let command = Command(verb, by: request.by, why: request.why, revert: request.revert)
        return self.answer(await self.reconciler.submit(command, for: id))
    }

    /// By name, so that an answer is found and two of them can be compared.
    func perform(_ batch: BatchRequest) async -> BatchAnswer {
        let ids = self.reconciler.current.deployments.filter { id, snapshot in
            let spec = snapshot.rollout.desired ?? snapshot.rollout.stable
            return batch.selection.selects(id, labels: spec?.labels ?? [:])
        }.keys.sorted()
        let verb: Command.Verb =
            switch batch.verb {
            case .pause: .pause(until: batch.until.map { Timestamp($0) })
            case .resume: .resume
            }
        let answers = await self.reconciler.submit(Command(verb, by: batch.by, why: batch.why), for: ids)
        return BatchAnswer(
            answers: zip(ids, answers).map { BatchAnswer.Entry(deployment: $0.description, self.answer($1)) }
        )
    }

    func freeze(_ request: FreezeRequest) async -> FreezeAnswer {
        let freeze = OperatorFreeze(
            namespace: request.selection.namespace,
            labels: request.selection.labels ?? [:],
            by: request.by,
            why: request.why,
            since: Timestamp(Date()),
            until: Timestamp(request.until)
        )
        return self.answer(await self.reconciler.submit(.begin(freeze)))
    }

    func unfreeze(_ number: Int64, by name: String) async -> FreezeAnswer {
        self.answer(await self.reconciler.submit(.end(number, by: name)))
    }

    private func answer(_ receipt: FreezeReceipt) -> FreezeAnswer {
        FreezeAnswer(
            accepted: receipt.answer.isAccepted,
            changed: receipt.answer.isChanged,
            message: receipt.answer.message,
            freeze: receipt.freeze.map { FreezeStatus($0) }
        )
    }

    /// The server has checked that it names a version or an alias.
    func promote(_ request: ModelRequest, on id: DeploymentID) async -> ModelAnswer {
        guard let selector = request.selector else {
            return ModelAnswer(accepted: false, changed: false, message: "\(request.to) is neither version nor alias")
        }
        let answer = await self.reconciler.promote(
            id,
            as: Reconciler.PromotionRequest(
                selector: selector,
                digest: request.digest,
                mode: request.mode,
                by: request.by,
                why: request.why,
                isRehearsal: request.dryRun
            )
        )
        return ModelAnswer(
            accepted: answer.answer.isAccepted,
            changed: answer.answer.isChanged,
            message: answer.answer.message,
            promotion: answer.promotion,
            diff: request.dryRun ? answer.diff : nil
        )
    }

    func test(receiver: String, by name: String) async -> OperatorAnswer {
        self.answer(await self.reconciler.test(receiver: receiver, by: name))
    }

    private func answer(_ answer: CommandAnswer) -> OperatorAnswer {
        OperatorAnswer(accepted: answer.isAccepted, changed: answer.isChanged, message: answer.message)
    }

    private struct Refusal: Error { var message: String }

    /// The revision of the history whose digest begins with `prefix`.
    private func revision(named prefix: String?, of id: DeploymentID) -> Result<Revision?, Refusal> {
        guard let prefix else { return .success(nil) }
        guard let rollout = self.reconciler.current.deployments[id]?.rollout else { return .success(nil) }
        let known = rollout.specs + rollout.history
        let matches = Set(known.map(\.revision)).filter { $0.digest.hasPrefix(prefix.lowercased()) }
        if prefix.count >= 4, matches.count == 1, let only = matches.first { return .success(only) }
        let list = known.map { "\($0.revision) (\($0.label))" }.joined(separator: ", ")
        let what = matches.count > 1 ? "several revisions begin" : "no known revision begins"
        return .failure(Refusal(message: "\(what) with \(prefix); known: \(list)"))
    }
}

extension Timestamp {
    fileprivate init(_ date: Date) { self.init(milliseconds: Int64(date.timeIntervalSince1970 * 1000)) }
}
