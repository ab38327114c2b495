import Analysis
package import ArgumentParser

package struct JudgeCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "judge",
        abstract: "Say of recorded canaries when they would have been rolled back; no controller needed.",
        discussion: """
            Try the judgement on your own past incidents. A line of the file is one step of a rollout, held at one
            weight, as the first of several:

              {"id": "march-3", "history": [[requests, bad], …],
               "polls": [[canaryRequests, canaryBad, stableRequests, stableBad], …], "lagRobust": false}

            `history` is what stable counted before the rollout, in pieces as long as the polls; from half an hour of it
            comes phi, by which errors that come in bursts weigh less. `lagRobust` is for counters of the two that were
            not read in one instant. A file of comma-separated values has a poll a row and the columns
            id,canary_requests,canary_bad,stable_requests,stable_bad; rows without the canary's numbers are history.

            The answer has the poll after which the canary would have been rolled back, counted from 1, or null; and
            log_e, the evidence after the last poll: at ln(1/alpha), 4.6 by default, and bad requests in two polls, it
            decides. A line that cannot be read is named on stderr, the others are judged, and the exit code is 2.

            EXAMPLES
              controller judge incidents.jsonl --output table
              controller judge incidents.csv --csv --poll 30s > verdicts.csv
              controller judge - --alpha 0.001 < incidents.jsonl
              controller judge incidents.jsonl --preset flagger
            """
    )

    @Argument(help: ArgumentHelp("JSON lines or CSV; - is stdin.", valueName: "file"), completion: .file())
    package var file: String

    @Option(help: ArgumentHelp("Probability of a false rollback, over a whole rollout.", valueName: "share"))
    package var alpha: Double = AnalysisParameters.default.alpha

    @Option(
        help: ArgumentHelp("How many times as bad as stable a canary may be.", valueName: "number")
    )
    package var maxRatio: Double = AnalysisParameters.default.breachRatio

    @Option(help: ArgumentHelp("Polls that must have bad requests before they decide.", valueName: "number"))
    package var minBadPolls: Int = AnalysisParameters.default.minimumBadPolls

    @Option(help: ArgumentHelp("Steps of the rollout that this is the first one of.", valueName: "number"))
    package var steps: Int = 5

    @Option(help: ArgumentHelp("How long a poll is.", valueName: "duration"))
    package var poll: DurationArgument = DurationArgument(seconds: 10)

    @Flag(help: "Canary and stable were not read in one instant, where a line does not say.")
    package var lagRobust = false

    @Option(help: "Judge by the rules of: controller, flagger, argo or kayenta, with their documented defaults.")
    package var preset: PresetArgument = .controller

    @Option(name: [.short, .long], help: "json or csv for programs, table for people.")
    package var output: JudgementFormat = .json

    @Flag(help: "The same as --output csv.")
    package var csv = false

    package init() {}

    package func validate() throws {
        guard self.alpha > 0, self.alpha < 1 else { throw ValidationError("--alpha must be above 0 and below 1.") }
        guard self.maxRatio >= 1, self.maxRatio <= 100 else {
            throw ValidationError("--max-ratio must be from 1 to 100.")
        }
        guard (1...1000).contains(self.minBadPolls) else {
            throw ValidationError("--min-bad-polls must be from 1 to 1000.")
        }
        guard (1...100).contains(self.steps) else { throw ValidationError("--steps must be from 1 to 100.") }
        guard self.poll.duration <= .seconds(86_400) else { throw ValidationError("--poll must be a day at most.") }
    }

    package func run(on console: Console) async throws {
        var source = try HoldSource(
            path: self.file,
            secondsPerPoll: self.poll.duration / .seconds(1),
            isLagging: self.lagRobust
        )
        var report = JudgementReport(self.csv ? .csv : self.output, parameters: self.parameters)
        var problems = 0
        while let next = try source.next() {
            switch next {
            case .success(let named):
                try report.add(self.judgement(of: named), named, on: console)
            case .failure(let problem):
                problems += 1
                console.tell(StyledText("\(self.file):\(problem.line): error: \(problem.message)"))
            }
        }
        try report.finish(on: console)
        if !source.ignored.isEmpty {
            let names = source.ignored.map { "`\($0)`" }.joined(separator: ", ")
            console.tell(StyledText("warning: these fields mean nothing here: \(names)"))
        }
        guard problems == 0 else {
            let lines = problems == 1 ? "1 line" : "\(problems) lines"
            throw CommandFailure(code: .usage, message: "\(lines) could not be judged; the others were")
        }
    }

    private var parameters: AnalysisParameters {
        var parameters = AnalysisParameters()
        parameters.alpha = self.alpha
        parameters.breachRatio = self.maxRatio
        parameters.minimumBadPolls = self.minBadPolls
        return parameters
    }

    private func judgement(of named: NamedHold) -> Judgement {
        if let judge = self.preset.preset.otherJudge {
            return Judgement(id: named.id, rollbackPoll: Self.rollbackPoll(of: named.hold, by: judge))
        }
        let judgement = named.hold.judgement(plannedSteps: self.steps, parameters: self.parameters)
        return Judgement(
            id: named.id,
            phi: judgement.burst,
            rollbackPoll: judgement.rollbackPoll,
            logE: judgement.logE
        )
    }

    private static func rollbackPoll(of hold: RecordedHold, by judge: some HoldJudge) -> Int? {
        var judge = judge
        return hold.rollbackPoll(by: &judge)
    }
}
