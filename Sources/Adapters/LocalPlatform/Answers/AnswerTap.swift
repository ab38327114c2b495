import Answers
package import Deployments
package import Logging
package import Reconciliation
import Synchronization
package import Transport

/// Takes copies of requests from the router, asks a replica of stable and one of the canary each of them, and compares
/// what they answer.
///
/// Nobody waits for it: the router drops what it says, and a copy that it has no time for is only counted. It never
/// asks twice, holds at most ``inFlightLimit`` requests of a megabyte with their answers, and keeps nothing of them but
/// their number and a few short differences.
package final class AnswerTap: AnswerSource, Sendable {
    /// Says in a copy which cluster's revision is to be compared.
    static let header = "x-controller-tap"
    /// Says in what replicas get that nobody waits for the answer.
    static let marker = "x-controller-compare"
    package static let inFlightLimit = 32
    package static let bodyLimit = 1 << 20

    let socket: String
    let logger: Logger
    private let client: HTTPClient
    private let now: @Sendable () -> Timestamp
    private let desk = ComparingDesk()
    private let state = Mutex(State())

    /// - Parameters:
    ///   - directory: The router's folder, where its socket lies.
    ///   - client: One of its own, so that slow answers delay nothing else.
    ///   - logger: Gets why it cannot listen.
    ///   - now: The time, by which counts of before a restart are told from those after it.
    package init(
        directory: String,
        client: HTTPClient,
        logger: Logger,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.socket = EnvoyFiles(directory: directory).tapSocket
        self.client = client
        self.logger = logger
        self.now = now
    }

    private struct State {
        /// By the names of the canaries' clusters.
        var comparisons: [String: Comparison] = [:]
        var inFlight = 0
        /// Counts requests, so that replicas take turns.
        var turn = 0
        /// Why it does not listen.
        var problem: String?
    }

    private struct Comparison {
        var pair: ComparedPair
        var counts: AnswerCounts
    }

    /// Compares what the table asks for, from now on. Counts go on as long as the canary and the rule are the same.
    package func follow(_ table: RoutingTable) {
        let now = self.now()
        let pairs = table.deployments.compactMap { ComparedPair(of: $0.value, in: $0.key) }
        self.state.withLock { state in
            let before = state.comparisons
            state.comparisons = [:]
            for pair in pairs {
                let name = EnvoyCluster.name(pair.deployment, pair.canary)
                let known = before[name].flatMap { $0.pair.isSame(as: pair) ? $0.counts : nil }
                state.comparisons[name] = Comparison(pair: pair, counts: known ?? AnswerCounts(began: now))
            }
        }
    }

    package func answers(of deployment: DeploymentID, canary: Revision) -> AnswerCounts? {
        self.state.withLock { state in
            guard var counts = state.comparisons[EnvoyCluster.name(deployment, canary)]?.counts else { return nil }
            if let problem = state.problem { counts.problem = problem }
            return counts
        }
    }

    // MARK: - Copies

    /// A place among the requests that are compared at a time.
    struct Place: Sendable {
        var name: String
        var pair: ComparedPair
        var turn: Int
    }

    /// - Returns: Nothing when the copy is of no use, or there is no room for it. Each place is given back by
    ///   ``leave(_:with:)``.
    func enter(_ name: String) -> Place? {
        self.state.withLock { state in
            guard let pair = state.comparisons[name]?.pair else { return nil }
            guard state.inFlight < Self.inFlightLimit else {
                state.comparisons[name]?.counts.dropped += 1
                return nil
            }
            state.inFlight += 1
            state.turn += 1
            return Place(name: name, pair: pair, turn: state.turn)
        }
    }

    enum Finding: Sendable {
        case same
        case different(AnswerDifference)
        case uncompared(String)
    }

    func leave(_ place: Place, with finding: Finding) {
        self.state.withLock { state in
            state.inFlight -= 1
            // What was found of another canary, or by another rule, is of no use any more.
            guard var comparison = state.comparisons[place.name], comparison.pair.isSame(as: place.pair) else { return }
            switch finding {
            case .same: comparison.counts.compared += 1
            case .different(let difference):
                comparison.counts.compared += 1
                comparison.counts.differing += 1
                // Different ones tell more than the same once more.
                let others = comparison.counts.examples.filter { $0 != difference }
                comparison.counts.examples = Array((others + [difference]).suffix(AnswerCounts.exampleLimit))
            case .uncompared(let why):
                comparison.counts.uncompared += 1
                comparison.counts.problem = why
            }
            state.comparisons[place.name] = comparison
        }
    }

    func note(_ problem: String?) {
        self.state.withLock { $0.problem = problem }
    }

    /// Asks both, and compares.
    func finding(for copy: CopiedRequest, at place: Place) async -> Finding {
        let pair = place.pair
        guard let stable = pair.endpoint(of: .stable, turn: place.turn) else {
            return .uncompared("stable has no ready replica")
        }
        guard let canary = pair.endpoint(of: .canary, turn: place.turn) else {
            return .uncompared("the canary has no ready replica")
        }
        async let before = self.answer(of: stable, to: copy, within: pair.timeout)
        async let after = self.answer(of: canary, to: copy, within: pair.timeout)
        switch await (before, after) {
        case (.failure(let error), _): return .uncompared("stable gave no answer: \(error.message)")
        case (_, .failure(let error)): return .uncompared("the canary gave no answer: \(error.message)")
        case (.success(let stable), .success(let canary)):
            let difference = await self.desk.difference(by: pair.rule, stable: stable, canary: canary)
            return difference.map { .different($0) } ?? .same
        }
    }

    @concurrent
    private func answer(
        of endpoint: Endpoint,
        to copy: CopiedRequest,
        within timeout: Duration
    ) async -> Result<ServedAnswer, TransportError> {
        do {
            let response = try await self.client.send(copy.request(to: endpoint, within: timeout))
            return .success(ServedAnswer(status: response.status, body: response.body))
        } catch {
            return .failure(error)
        }
    }
}

/// Compares one pair of answers after the other. A megabyte of JSON keeps a core busy for a while, and the controller
/// needs the others for its own work: a rollback waits for no comparison.
private actor ComparingDesk {
    func difference(by rule: AnswerRule, stable: ServedAnswer, canary: ServedAnswer) -> AnswerDifference? {
        AnswerComparer(rule: rule).difference(stable: stable, canary: canary)
    }
}

/// Two revisions of a deployment whose answers are compared, and where they are.
struct ComparedPair: Sendable {
    enum Side { case stable, canary }

    var deployment: DeploymentID
    var canary: Revision
    var rule: AnswerRule
    /// The route's: who is slower answers nobody.
    var timeout: Duration
    private var endpoints: [Side: [Endpoint]]

    /// - Returns: Nothing when the entry compares no answers.
    init?(of entry: RoutingTable.Entry, in deployment: DeploymentID) {
        guard let mirror = entry.traffic.mirror, let rule = mirror.comparison else { return nil }
        // Copies are made of what one revision gets alone.
        let stable = entry.traffic.weights.filter { $0.value > .none && $0.key != mirror.revision }.keys
        guard stable.count == 1, let stable = stable.first else { return nil }
        self.deployment = deployment
        self.canary = mirror.revision
        self.rule = rule
        self.timeout = entry.route.timeout
        self.endpoints = [.stable: stable, .canary: mirror.revision].mapValues { revision in
            (entry.backends[revision] ?? []).filter { !$0.isDraining }.map(\.endpoint)
        }
    }

    func isSame(as other: ComparedPair) -> Bool {
        self.deployment == other.deployment && self.canary == other.canary && self.rule == other.rule
    }

    func endpoint(of side: Side, turn: Int) -> Endpoint? {
        let endpoints = self.endpoints[side] ?? []
        return endpoints.isEmpty ? nil : endpoints[turn % endpoints.count]
    }
}
