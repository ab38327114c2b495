package import Deployments
package import Logging
import Reconciliation

/// Counts what is told of answered requests, for gates that are made of labels.
///
/// Bounded whatever is told: a few sums for each revision that has a part in a rollout, and ``ToldIDs``. The sums are
/// in memory only and begin anew with the controller, which gates know from ``LabelCounts/began``; what they have
/// judged is in the journal. An actor of its own, which only those who tell and who measure wait for: no decision
/// does.
package actor FeedbackStore: FeedbackSource {
    private let began: Timestamp
    private let logger: Logger
    private var told: ToldIDs
    private var isOpen = false
    private var books: [DeploymentID: Book] = [:]
    /// Why ids are remembered in memory alone.
    private var problem: String?

    /// A label, and of which request.
    package struct Label: Sendable {
        package var id: FeedbackID
        package var isCorrect: Bool?
        /// From 0 to 1.
        package var value: Double?

        package init(id: FeedbackID, isCorrect: Bool? = nil, value: Double? = nil) {
            self.id = id
            self.isCorrect = isCorrect
            self.value = value
        }
    }

    /// What became of some labels: each is one of these.
    package struct Receipt: Hashable, Sendable {
        package var counted = 0
        /// Of requests of which something was told before.
        package var repeated = 0
        /// By revisions that have no part in the deployment, each with their number.
        package var strangers: [String: Int] = [:]
    }

    /// - Parameters:
    ///   - directory: Its own, absolute; made when it is missing.
    ///   - logger: Gets why ids are not remembered over a restart.
    ///   - now: The time.
    package init(directory: String, logger: Logger, now: @Sendable () -> Timestamp) {
        self.told = ToldIDs(directory: directory)
        self.logger = logger
        self.began = now()
    }

    /// Counts labels, each request once.
    ///
    /// - Parameters:
    ///   - labels: About answers of the deployment's.
    ///   - deployment: Which.
    ///   - parts: Its revisions that have a part at present. Labels of others are counted nowhere, and what was told of
    ///     others is forgotten.
    /// - Returns: What became of them.
    package func take(_ labels: [Label], of deployment: DeploymentID, parts: Set<Revision>) -> Receipt {
        self.openOnce()
        let shorts = Set(parts.map(\.short))
        var book = self.books[deployment] ?? Book()
        book.keep(shorts)
        var receipt = Receipt()
        var fresh: [String] = []
        var seen: Set<String> = []
        for label in labels {
            guard shorts.contains(label.id.revision) else {
                receipt.strangers[label.id.revision, default: 0] += 1
                continue
            }
            let unique = label.id.unique
            guard !self.told.contains(unique), seen.insert(unique).inserted else {
                receipt.repeated += 1
                continue
            }
            fresh.append(unique)
            book.count(label)
            receipt.counted += 1
        }
        self.books[deployment] = book.isEmpty ? nil : book
        do {
            try self.told.insert(fresh)
            self.note(nil)
        } catch {
            self.note("\(error)")
        }
        return receipt
    }

    package func labels(
        _ kind: LabelKind,
        of deployment: DeploymentID,
        canary: Revision,
        stable: Revision
    ) -> LabelCounts {
        let splits = self.books[deployment]?.splits(kind, canary: canary.short, stable: stable.short) ?? []
        return LabelCounts(began: self.began, splits: splits)
    }

    private func openOnce() {
        guard !self.isOpen else { return }
        self.isOpen = true
        do {
            try self.told.open()
        } catch {
            self.note("\(error)")
        }
    }

    /// Logged when it changes.
    private func note(_ problem: String?) {
        defer { self.problem = problem }
        guard let problem, self.problem == nil else { return }
        self.logger.warning("labels told again after a restart will count again", metadata: ["error": "\(problem)"])
    }
}

/// What was told about one deployment.
private struct Book {
    private var tallies: [String: [TrafficSplit: Tally]] = [:]
    /// In the order in which they were first told of.
    private var order: [TrafficSplit] = []

    /// More than any rollout has steps and exchanges of replicas in a row; of those beyond, the first goes.
    private static let splitLimit = 64

    private struct Tally {
        var wrong = 0.0
        var labelled = 0.0
        var count = 0.0
        var sum = 0.0
        var sumOfSquares = 0.0
    }

    var isEmpty: Bool { self.tallies.isEmpty }

    mutating func keep(_ revisions: Set<String>) {
        self.tallies = self.tallies.filter { revisions.contains($0.key) }
        self.order.removeAll { split in !self.tallies.values.contains { $0[split] != nil } }
    }

    mutating func count(_ label: FeedbackStore.Label) {
        let split = label.id.split
        if !self.order.contains(split) {
            self.order.append(split)
            if self.order.count > Self.splitLimit {
                let oldest = self.order.removeFirst()
                for revision in self.tallies.keys { self.tallies[revision]?[oldest] = nil }
            }
        }
        var tally = self.tallies[label.id.revision]?[split] ?? Tally()
        if let isCorrect = label.isCorrect {
            tally.labelled += 1
            if !isCorrect { tally.wrong += 1 }
        }
        if let value = label.value {
            tally.count += 1
            tally.sum += value
            tally.sumOfSquares += value * value
        }
        self.tallies[label.id.revision, default: [:]][split] = tally
    }

    func splits(_ kind: LabelKind, canary: String, stable: String) -> [LabelCounts.Split] {
        self.order.sorted().compactMap { split in
            let (ofCanary, ofStable) = (
                self.values(kind, of: canary, split), self.values(kind, of: stable, split)
            )
            guard !ofCanary.isEmpty || !ofStable.isEmpty else { return nil }
            return LabelCounts.Split(split, canary: ofCanary, stable: ofStable)
        }
    }

    /// Empty when there are none.
    private func values(_ kind: LabelKind, of revision: String, _ split: TrafficSplit) -> [Double] {
        guard let tally = self.tallies[revision]?[split] else { return [] }
        switch kind {
        case .correctness: return tally.labelled > 0 ? [tally.wrong, tally.labelled] : []
        case .value: return tally.count > 0 ? [tally.count, tally.sum, tally.sumOfSquares] : []
        }
    }
}
