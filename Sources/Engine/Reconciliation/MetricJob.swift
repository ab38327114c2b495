package import Analysis
package import Deployments

/// What is to be asked for a gate that is due.
package struct MetricJob: Hashable, Sendable {
    package var deployment: DeploymentID
    package var gate: String
    /// Of the sign-off that asks; nothing when the step or the bake does.
    package var asker: SignOff.Asker?
    package var question: Question

    package enum Question: Hashable, Sendable {
        /// One number.
        case number(Query)
        /// What was counted for each revision, by queries in the same order.
        case counters(canary: [Query], stable: [Query])
        /// A histogram for each revision.
        case histograms(canary: Query, stable: Query)
        /// Somebody's word on the step.
        case verdict(of: String, VerdictQuestion, timeout: Duration)
        /// A program's word on the step: its name and its arguments.
        case run([String], timeout: Duration)
        /// How the canary's answers to copied requests compare.
        case answers(canary: Revision)
        /// What was told of requests that these have answered.
        case labels(LabelKind, canary: Revision, stable: Revision)
    }

    /// In the provider's language, with its variables substituted.
    package struct Query: Hashable, Sendable {
        package var provider: String
        /// What people call it: the manifest's field.
        package var name: String
        package var text: String
    }

    /// Nothing for gates that nobody needs to be asked about, or not now.
    ///
    /// - Parameters:
    ///   - gate: Of the current step.
    ///   - deployment: Of the rollout.
    ///   - canary: Whom the gate judges.
    ///   - stable: Whom it is compared with.
    ///   - step: From 0; before the first, -1.
    ///   - asker: The sign-off that asks, if one does.
    ///   - endpoint: Of one of the canary's replicas that is ready, if there is one.
    package init?(
        _ gate: Gate,
        of deployment: DeploymentID,
        canary: DeploymentSpec,
        stable: DeploymentSpec?,
        step: Int,
        asker: SignOff.Asker? = nil,
        endpoint: Endpoint? = nil
    ) {
        self.deployment = deployment
        self.gate = gate.name
        self.asker = asker
        if let kind = gate.kind.labels {
            guard let stable else { return nil }
            self.question = .labels(kind, canary: canary.revision, stable: stable.revision)
            return
        }
        switch gate.kind {
        case .errors, .clientErrors, .latency, .slowdown, .preset: return nil
        case .threshold(let query):
            self.question = .number(Query(query.provider, "query", query.query, canary))
        case .ratio(let query):
            guard let stable else { return nil }
            let queries = { (spec: DeploymentSpec) in
                [Query(query.provider, "bad", query.bad, spec), Query(query.provider, "total", query.total, spec)]
            }
            self.question = .counters(canary: queries(canary), stable: queries(stable))
        case .mean(let query):
            guard let stable else { return nil }
            let texts = [("count", query.count), ("sum", query.sum), ("sumOfSquares", query.sumOfSquares)]
            let queries = { (spec: DeploymentSpec) in texts.map { Query(query.provider, $0.0, $0.1, spec) } }
            self.question = .counters(canary: queries(canary), stable: queries(stable))
        case .drift(let query):
            guard let stable else { return nil }
            self.question = .histograms(
                canary: Query(query.provider, "query", query.query, canary),
                stable: Query(query.provider, "query", query.query, stable)
            )
        case .webhook(let query):
            let question = VerdictQuestion(
                deployment: deployment.description,
                gate: gate.name,
                revision: canary.revision.digest,
                modelVersion: canary.model.version,
                step: step + 1,
                place: asker?.place.rawValue,
                commit: canary.origin.commit
            )
            self.question = .verdict(of: query.provider, question, timeout: query.timeout)
        case .job(let job):
            // Before the rollout there is no replica, and the manifest may not name one.
            guard endpoint != nil || asker?.place == .beforeRollout else { return nil }
            self.question = .run(
                job.command.map { $0.substituted(for: canary, endpoint: endpoint) },
                timeout: job.timeout
            )
        case .answers:
            self.question = .answers(canary: canary.revision)
        }
    }
}

extension MetricJob.Query {
    fileprivate init(_ provider: String, _ name: String, _ text: String, _ spec: DeploymentSpec) {
        self.init(provider: provider, name: name, text: text.substituted(for: spec))
    }
}

extension MetricJob {
    /// Asks, and waits for the answer. What is to be counted for both revisions is asked for one time.
    package func measurement(
        from providers: [String: any MetricProvider],
        webhooks: [String: any VerdictProvider] = [:],
        jobs: (any JobRunner)? = nil,
        comparing answers: (any AnswerSource)? = nil,
        told feedback: (any FeedbackSource)? = nil,
        at time: Timestamp
    ) async -> Measurement {
        let answer: Measurement.Answer
        switch self.question {
        case .number(let query):
            answer = Measurement.Answer(await query.reading(from: providers, at: time).answer)
        case .counters(let canary, let stable):
            answer = await Self.counted(canary, stable, from: providers, at: time)
        case .histograms(let canary, let stable):
            answer = await Self.counted(canary, stable, from: providers, at: time)
        case .verdict(let name, let question, let timeout):
            guard let webhook = webhooks[name] else {
                let message = "there is no webhook \(name): name it under `providers`, with `kind: webhook`"
                return Measurement(gate: self.gate, time: time, answer: .refused(message), asker: self.asker)
            }
            answer = Measurement.Answer(await webhook.verdict(on: question, timeout: timeout))
        case .run(let command, let timeout):
            let none = VerdictAnswer.refused("no job can be run here")
            answer = Measurement.Answer(await jobs?.run(command, timeout: timeout) ?? none)
        case .answers(let canary):
            answer = await Self.compared(answers, of: self.deployment, canary)
        case .labels(let kind, let canary, let stable):
            let counts = await feedback?.labels(kind, of: self.deployment, canary: canary, stable: stable)
            answer = counts.map { .labelled($0) } ?? .refused("this controller takes no feedback")
        }
        return Measurement(gate: self.gate, time: time, answer: answer, asker: self.asker)
    }

    private static func compared(
        _ answers: (any AnswerSource)?,
        of deployment: DeploymentID,
        _ canary: Revision
    ) async -> Measurement.Answer {
        guard let answers else {
            return .refused("this platform compares no answers: take the gate out of the step")
        }
        guard let counts = await answers.answers(of: deployment, canary: canary) else {
            return .missing("answers are not being compared yet")
        }
        return .compared(counts)
    }

    /// Some servers answer as of half a minute ago; what is off by more would never count as this step's.
    private static let clockTolerance = Duration.minutes(10)

    private static func counted(
        _ canary: [Query],
        _ stable: [Query],
        from providers: [String: any MetricProvider],
        at time: Timestamp
    ) async -> Measurement.Answer {
        var readings: [TrackReading] = []
        for (track, queries) in [("the canary", canary), ("stable", stable)] {
            var reading = TrackReading(times: [], values: [])
            for query in queries {
                // One after the other: the first that has no answer ends it, so an outage costs one timeout.
                let answer = await query.reading(from: providers, at: time)
                guard case .value(let value) = answer.answer, value.isFinite else {
                    return Measurement.Answer(answer.answer, to: query, of: track)
                }
                guard Self.isTimely(answer.time, for: time) else { return .ofAnotherTime(query, of: track) }
                reading.times.append(answer.time)
                reading.values.append(value)
            }
            readings.append(reading)
        }
        return .counted(canary: readings[0], stable: readings[1])
    }

    private static func counted(
        _ canary: Query,
        _ stable: Query,
        from providers: [String: any MetricProvider],
        at time: Timestamp
    ) async -> Measurement.Answer {
        var readings: [TrackReading] = []
        for (track, query) in [("the canary", canary), ("stable", stable)] {
            guard let provider = providers[query.provider] else {
                return Measurement.Answer(query.unknownProvider, to: query, of: track)
            }
            switch await provider.histogram(of: query.text, at: time) {
            case .buckets(let bounds, let counts, let answered):
                guard Self.isTimely(answered, for: time) else { return .ofAnotherTime(query, of: track) }
                readings.append(TrackReading(times: [answered], values: counts, bounds: bounds))
            case .sparse(let bounds, let counts, let answered):
                guard Self.isTimely(answered, for: time) else { return .ofAnotherTime(query, of: track) }
                readings.append(TrackReading(times: [answered], values: counts, bounds: bounds, isSparse: true))
            case .none(let answer):
                return Measurement.Answer(answer, to: query, of: track)
            }
        }
        return .counted(canary: readings[0], stable: readings[1])
    }

    private static func isTimely(_ answered: Timestamp, for time: Timestamp) -> Bool {
        abs((answered - time).inSeconds) <= Self.clockTolerance.inSeconds
    }
}

extension MetricJob.Query {
    fileprivate func reading(
        from providers: [String: any MetricProvider],
        at time: Timestamp
    ) async -> MetricReading {
        guard let provider = providers[self.provider] else { return MetricReading(self.unknownProvider, of: time) }
        return await provider.reading(of: self.text, at: time)
    }

    fileprivate var unknownProvider: MetricAnswer {
        .refused("there is no provider \(self.provider): name it under `providers` in the configuration")
    }
}

extension Measurement.Answer {
    init(_ answer: MetricAnswer) {
        switch answer {
        case .value(let value): self = .value(value)
        case .noData: self = .noData
        case .notANumber: self = .notANumber
        case .refused(let message): self = .refused(message)
        case .unavailable(let message): self = .unavailable(message)
        }
    }

    init(_ answer: VerdictAnswer) {
        switch answer {
        case .pass(let message): self = .verdict(GateVerdict(.pass, message))
        case .fail(let message): self = .verdict(GateVerdict(.fail, message))
        case .wait(let message): self = .verdict(GateVerdict(.wait, message))
        case .refused(let message): self = .refused(message)
        case .unavailable(let message): self = .unavailable(message)
        }
    }

    static func ofAnotherTime(_ query: MetricJob.Query, of track: String) -> Self {
        .missing("`\(query.name)` of \(track) is of another time; set the provider's clock")
    }

    /// Of an answer that is nothing to count with.
    init(_ answer: MetricAnswer, to query: MetricJob.Query, of track: String) {
        let what = "`\(query.name)` of \(track)"
        switch answer {
        case .value, .notANumber: self = .missing("\(what) is not a number")
        case .noData: self = .missing("\(what) matches nothing")
        case .refused(let message): self = .refused("\(what): \(message)")
        case .unavailable(let message): self = .unavailable("\(what): \(message)")
        }
    }
}
