import Analysis
import Deployments
import Manifests
import Reconciliation
import Synchronization
import Testing

/// Answers by the text of the query, and remembers what it was asked.
final class ScriptedProvider: MetricProvider {
    let name = "prometheus"
    private let answers: [String: MetricReading]
    private let histograms: [String: HistogramAnswer]
    private let asked = Mutex<[String]>([])

    init(_ answers: [String: MetricReading], histograms: [String: HistogramAnswer] = [:]) {
        self.answers = answers
        self.histograms = histograms
    }

    var questions: [String] { self.asked.withLock { $0 } }

    func reading(of query: String, at time: Timestamp) async -> MetricReading {
        self.asked.withLock { $0.append(query) }
        return self.answers[query] ?? MetricReading(.noData, of: time)
    }

    func histogram(of query: String, at time: Timestamp) async -> HistogramAnswer {
        self.histograms[query] ?? .none(.noData)
    }
}

@Suite("What gates ask others")
struct MetricJobTests {
    static let now = Timestamp(milliseconds: 1_700_000_000_000)
    static let canary = Self.spec("b")
    static let stable = Self.spec("a")

    private static func spec(_ version: String) -> DeploymentSpec {
        let file = SourceFile(path: "m.yaml", blob: "1", bytes: Array(ReconcilerTests.manifest(version).utf8))
        let origin = CommitReference(repository: "models", branch: "main", commit: version)
        return ManifestReader().read([file], origin: origin).deployments[0]
    }

    private func job(_ kind: Gate.Kind) throws -> MetricJob {
        try #require(
            MetricJob(
                Gate(name: "g", kind: kind),
                of: Self.canary.id,
                canary: Self.canary,
                stable: Self.stable,
                step: 1
            )
        )
    }

    @Test
    func `compared answers are asked for by the canary, and who compares none says so`() async throws {
        struct Source: AnswerSource {
            func answers(of deployment: DeploymentID, canary: Revision) async -> AnswerCounts? {
                deployment == MetricJobTests.canary.id && canary == MetricJobTests.canary.revision
                    ? AnswerCounts(compared: 7, differing: 2) : nil
            }
        }
        let job = try self.job(.answers(AnswerRule(method: .exact)))
        let found = await job.measurement(from: [:], comparing: Source(), at: Self.now)
        #expect(found.answer == .compared(AnswerCounts(compared: 7, differing: 2)))
        var other = job
        other.question = .answers(canary: Self.stable.revision)
        let missing = await other.measurement(from: [:], comparing: Source(), at: Self.now)
        #expect(missing.answer == .missing("answers are not being compared yet"))
        guard case .refused(let why) = await job.measurement(from: [:], at: Self.now).answer else {
            Issue.record("nobody compares")
            return
        }
        #expect(why.contains("take the gate out of the step"))
    }

    @Test(arguments: [
        (Gate.Kind.ratio(RatioQuery(provider: Gate.Kind.feedback, bad: "", total: "")), LabelKind.correctness),
        (.mean(MeanQuery(provider: Gate.Kind.feedback, count: "", sum: "", sumOfSquares: "", worse: .lower)), .value),
    ])
    func `labels are asked for of both revisions, and no provider is`(kind: Gate.Kind, labels: LabelKind) async throws {
        struct Source: FeedbackSource {
            let expected: LabelKind
            func labels(
                _ kind: LabelKind,
                of deployment: DeploymentID,
                canary: Revision,
                stable: Revision
            ) async -> LabelCounts {
                let isAsked =
                    kind == self.expected && deployment == MetricJobTests.canary.id
                    && canary == MetricJobTests.canary.revision && stable == MetricJobTests.stable.revision
                return LabelCounts(began: Timestamp(milliseconds: isAsked ? 7 : 0))
            }
        }
        let job = try self.job(kind)
        let found = await job.measurement(from: [:], told: Source(expected: labels), at: Self.now)
        #expect(found.answer == .labelled(LabelCounts(began: Timestamp(milliseconds: 7))))
        let nobody = await job.measurement(from: [:], at: Self.now)
        #expect(nobody.answer == .refused("this controller takes no feedback"))
        let first = MetricJob(
            Gate(name: "g", kind: kind),
            of: Self.canary.id,
            canary: Self.canary,
            stable: nil,
            step: 0
        )
        #expect(first == nil)
    }

    private func answer(_ answers: [String: MetricReading]) async throws -> (Measurement.Answer, [String]) {
        let query = RatioQuery(provider: "prometheus", bad: "bad ${revision}", total: "total ${revision}")
        let provider = ScriptedProvider(answers)
        let measurement = try await self.job(.ratio(query)).measurement(from: ["prometheus": provider], at: Self.now)
        #expect(measurement.gate == "g")
        #expect(measurement.time == Self.now)
        return (measurement.answer, provider.questions)
    }

    private static let queries = [Self.canary, Self.stable].flatMap { spec in
        ["bad \(spec.revision.short)", "total \(spec.revision.short)"]
    }

    private static func answers(_ values: Double...) -> [String: MetricReading] {
        Dictionary(
            uniqueKeysWithValues: zip(Self.queries, values).enumerated().map { index, pair in
                (pair.0, MetricReading(.value(pair.1), of: Self.now + .seconds(-index)))
            }
        )
    }

    @Test
    func `each counter is asked for each revision, and has its own time`() async throws {
        let (answer, questions) = try await self.answer(Self.answers(1, 2, 3, 4))
        let times = (0..<4).map { Self.now + .seconds(-$0) }
        #expect(questions == Self.queries)
        #expect(
            answer
                == .counted(
                    canary: TrackReading(times: [times[0], times[1]], values: [1, 2]),
                    stable: TrackReading(times: [times[2], times[3]], values: [3, 4])
                )
        )
    }

    @Test(arguments: [
        (MetricAnswer.noData, Measurement.Answer.missing("`bad` of stable matches nothing")),
        (.notANumber, .missing("`bad` of stable is not a number")),
        (.value(.infinity), .missing("`bad` of stable is not a number")),
        (.refused("2 series"), .refused("`bad` of stable: 2 series")),
        (.unavailable("timeout"), .unavailable("`bad` of stable: timeout")),
    ])
    func `one that has no answer says which, and the rest is not asked`(
        missing: MetricAnswer,
        expected: Measurement.Answer
    ) async throws {
        var answers = Self.answers(1, 2, 3, 4)
        answers[Self.queries[2]] = MetricReading(missing, of: Self.now)
        let (answer, questions) = try await self.answer(answers)
        #expect(answer == expected)
        #expect(questions.count == 3)
    }

    @Test
    func `an answer of another time is none`() async throws {
        for time in [Self.now + .minutes(11), Self.now + .minutes(-11), Timestamp(milliseconds: -1 << 53)] {
            var answers = Self.answers(1, 2, 3, 4)
            answers[Self.queries[1]] = MetricReading(.value(2), of: time)
            let (answer, _) = try await self.answer(answers)
            #expect(answer == .missing("`total` of the canary is of another time; set the provider's clock"))
        }
    }

    @Test
    func `a mean is asked three counters for each revision`() async throws {
        let query = MeanQuery(provider: "prometheus", count: "c", sum: "s", sumOfSquares: "q", worse: .lower)
        let values = ["c": 10.0, "s": 5, "q": 3].mapValues { MetricReading(.value($0), of: Self.now) }
        let measurement = try await self.job(.mean(query)).measurement(
            from: ["prometheus": ScriptedProvider(values)],
            at: Self.now
        )
        let reading = TrackReading(times: [Self.now, Self.now, Self.now], values: [10, 5, 3])
        #expect(measurement.answer == .counted(canary: reading, stable: reading))
    }

    @Test
    func `a histogram is asked for each revision`() async throws {
        let query = DriftQuery(provider: "prometheus", query: "h ${revision}")
        let texts = [Self.canary, Self.stable].map { "h \($0.revision.short)" }
        let answer = { (count: Double, time: Timestamp) in
            HistogramAnswer.buckets(bounds: [0.5], counts: [1, count], of: time)
        }
        let ask = { (histograms: [String: HistogramAnswer]) in
            try await self.job(.drift(query)).measurement(
                from: ["prometheus": ScriptedProvider([:], histograms: histograms)],
                at: Self.now
            ).answer
        }
        let both = try await ask([texts[0]: answer(2, Self.now), texts[1]: answer(3, Self.now)])
        #expect(
            both
                == .counted(
                    canary: TrackReading(times: [Self.now], values: [1, 2], bounds: [0.5]),
                    stable: TrackReading(times: [Self.now], values: [1, 3], bounds: [0.5])
                )
        )
        let sparse = HistogramAnswer.sparse(bounds: [0.5, 1], counts: [0, 1, 2], of: Self.now)
        guard case .counted(let canary, let stable) = try await ask([texts[0]: sparse, texts[1]: sparse]) else {
            Issue.record()
            return
        }
        let native = TrackReading(times: [Self.now], values: [0, 1, 2], bounds: [0.5, 1], isSparse: true)
        #expect(canary == native && stable == native)
        #expect(try await ask([texts[0]: answer(2, Self.now)]) == .missing("`query` of stable matches nothing"))
        let late = try await ask([texts[0]: answer(2, Self.now + .minutes(11))])
        #expect(late == .missing("`query` of the canary is of another time; set the provider's clock"))
    }

    private final class Judge: VerdictProvider {
        let name = "approvals"
        private let answer: VerdictAnswer
        private let asked = Mutex<VerdictQuestion?>(nil)

        init(_ answer: VerdictAnswer) { self.answer = answer }

        var question: VerdictQuestion? { self.asked.withLock { $0 } }

        func verdict(on question: VerdictQuestion, timeout: Duration) async -> VerdictAnswer {
            self.asked.withLock { $0 = question }
            return self.answer
        }
    }

    @Test(arguments: [
        (VerdictAnswer.pass("a"), Measurement.Answer.verdict(GateVerdict(.pass, "a"))),
        (.fail("b"), .verdict(GateVerdict(.fail, "b"))), (.wait("c"), .verdict(GateVerdict(.wait, "c"))),
        (.refused("d"), .refused("d")), (.unavailable("e"), .unavailable("e")),
    ])
    func `a webhook is told what is to be decided`(said: VerdictAnswer, expected: Measurement.Answer) async throws {
        let judge = Judge(said)
        let job = try self.job(.webhook(WebhookQuery(provider: "approvals")))
        let measurement = await job.measurement(from: [:], webhooks: ["approvals": judge], at: Self.now)
        #expect(measurement.answer == expected)
        let question = VerdictQuestion(
            deployment: Self.canary.id.description,
            gate: "g",
            revision: Self.canary.revision.digest,
            modelVersion: "b",
            step: 2,
            commit: "b"
        )
        #expect(judge.question == question)
        let nobody = await job.measurement(from: [:], at: Self.now)
        let advice = "there is no webhook approvals: name it under `providers`, with `kind: webhook`"
        #expect(nobody.answer == .refused(advice))
    }

    private final class Runner: JobRunner {
        private let asked = Mutex<[String]>([])
        var command: [String] { self.asked.withLock { $0 } }

        func run(_ command: [String], timeout: Duration) async -> VerdictAnswer {
            self.asked.withLock { $0 = command }
            return .fail("no")
        }
    }

    @Test
    func `a job gets its variables, each in its own argument, once a replica is ready`() async throws {
        let command = ["evaluate", "--url=${endpoint}/v2", "${model.name} ${model.version}", "${revision}"]
        let gate = Gate(name: "g", kind: .job(JobRun(command: command)))
        let (id, canary, stable) = (Self.canary.id, Self.canary, Self.stable)
        #expect(MetricJob(gate, of: id, canary: canary, stable: stable, step: 0) == nil)
        let endpoint = Endpoint(host: "127.0.0.1", port: 19_001)
        let job = try #require(
            MetricJob(gate, of: id, canary: canary, stable: stable, step: 0, endpoint: endpoint)
        )
        let runner = Runner()
        let measurement = await job.measurement(from: [:], jobs: runner, at: Self.now)
        #expect(measurement.answer == .verdict(GateVerdict(.fail, "no")))
        #expect(runner.command == ["evaluate", "--url=http://127.0.0.1:19001/v2", "m b", Self.canary.revision.short])
        #expect(await job.measurement(from: [:], at: Self.now).answer == .refused("no job can be run here"))
    }

    @Test
    func `an unknown provider is refused with the fix`() async throws {
        let query = RatioQuery(provider: "thanos", bad: "b", total: "t")
        let measurement = try await self.job(.ratio(query)).measurement(from: [:], at: Self.now)
        guard case .refused(let message) = measurement.answer else {
            Issue.record("\(measurement)")
            return
        }
        #expect(message.contains("there is no provider thanos: name it under `providers`"))
    }

    @Test
    func `a threshold is asked one number, with the canary's variables`() async throws {
        let query = ThresholdQuery(provider: "prometheus", query: "q ${revision} ${deployment}", maximum: 1)
        let text = "q \(Self.canary.revision.short) \(Self.canary.id.name)"
        let provider = ScriptedProvider([text: MetricReading(.value(0.5), of: Self.now)])
        let measurement = try await self.job(.threshold(query)).measurement(
            from: ["prometheus": provider],
            at: Self.now
        )
        #expect(measurement.answer == .value(0.5))
    }
}
