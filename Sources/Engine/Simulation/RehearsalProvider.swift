import Analysis
import Deployments

/// Answers for gates whose evidence others have: as healthy as stable's, unless somebody says otherwise.
struct RehearsalProvider {
    private var tallies: [String: [Revision: Tally]] = [:]
    /// What was told for a gate that is made of labels, as if everybody labelled each answer at once.
    private var labels: [String: Labels] = [:]

    /// What one gate has counted for one revision.
    private struct Tally {
        var requests: Int64 = 0
        var values: [Double]
    }

    private struct Labels {
        var splits: [TrafficSplit: LabelCounts.Split] = [:]
        var canary: [Double]
        var stable: [Double]
    }

    /// What is asked, and of whom.
    struct Question {
        var gate: Gate
        var canary: Revision
        var stable: Revision
        /// What the router has counted.
        var counters: [Revision: TrackCounters]
        /// What is copied in this step.
        var mirror: Traffic.Mirror?
        /// How the requests are split.
        var split: TrafficSplit
        /// The number that somebody gave for the gate.
        var assumed: Double?
        var time: Timestamp
    }

    /// - Returns: Nothing for gates that nobody needs to be asked about.
    mutating func answer(_ question: Question, _ dice: inout Dice) -> Measurement? {
        var answer: Measurement.Answer
        switch question.gate.kind {
        case .errors, .clientErrors, .latency, .slowdown, .preset: return nil
        case .threshold(let query):
            answer = .value(question.assumed ?? query.maximum ?? query.minimum ?? 0)
        case .webhook, .job:
            answer = .verdict(GateVerdict(question.assumed == 0 ? .fail : .pass, "assumed"))
        case .ratio:
            let share = Rehearsal.assumedShare
            answer = self.counted(question, of: 2, &dice) { values, requests, isCanary, dice in
                let rate = isCanary ? min(1, max(0, question.assumed ?? share)) : share
                values[0] += Double(dice.hits(of: requests, probability: rate))
                values[1] += Double(requests)
            }
        case .mean:
            let usual = Rehearsal.assumedMean
            answer = self.counted(question, of: 3, &dice) { values, requests, isCanary, dice in
                let mean = isCanary ? min(1, max(0, question.assumed ?? usual)) : usual
                // Right or wrong, no value between: the widest that a value from 0 to 1 can scatter.
                let hits = Double(dice.hits(of: requests, probability: mean))
                values[0] += Double(requests)
                values[1] += hits
                values[2] += hits
            }
        case .drift:
            answer = self.counted(question, of: 4, bounds: [0.25, 0.5, 0.75], &dice) {
                let moved = $2 ? question.assumed ?? 0 : 0
                Self.draw($1, moved: moved, into: &$0, &$3)
            }
        case .answers:
            guard let counts = self.compared(question, &dice) else { return nil }
            answer = .compared(counts)
        }
        if question.gate.kind.labels != nil, case .counted(let canary, let stable) = answer {
            answer = .labelled(self.labels(canary.values, stable.values, question))
        }
        return Measurement(gate: question.gate.name, time: question.time, answer: answer)
    }

    /// Answers that lie anywhere between 0 and 1, but for a part that lies in the lowest bin.
    private static func draw(_ answers: Int, moved: Double, into cumulative: inout [Double], _ dice: inout Dice) {
        var counts = [dice.hits(of: answers, probability: moved), 0, 0, 0]
        var left = answers - counts[0]
        for bin in counts.indices {
            let hits = dice.hits(of: left, probability: 1 / Double(counts.count - bin))
            left -= hits
            counts[bin] += hits
        }
        var sum = 0
        for bin in counts.indices {
            sum += counts[bin]
            cumulative[bin] += Double(sum)
        }
    }

    /// Of the canary's copies, so many more are compared as the rule's percentage is of the step's.
    private mutating func compared(_ question: Question, _ dice: inout Dice) -> AnswerCounts? {
        guard let mirror = question.mirror, let rule = mirror.comparison else { return nil }
        let none = Tally(values: [0, 0])
        var tally = self.tallies[question.gate.name]?[question.canary] ?? none
        let requests = question.counters[question.canary]?.requests ?? 0
        let share = Double(rule.percent.percent) / Double(max(1, mirror.percent.percent))
        let copies = dice.hits(of: Int(requests - tally.requests), probability: share)
        tally.values[0] += Double(copies)
        tally.values[1] += Double(dice.hits(of: copies, probability: min(1, max(0, question.assumed ?? 0))))
        tally.requests = requests
        self.tallies[question.gate.name, default: [:]][question.canary] = tally
        return AnswerCounts(compared: Int64(tally.values[0]), differing: Int64(tally.values[1]))
    }

    private mutating func labels(_ canary: [Double], _ stable: [Double], _ question: Question) -> LabelCounts {
        let none = canary.map { _ in 0.0 }
        var labels = self.labels[question.gate.name] ?? Labels(canary: none, stable: none)
        var split = labels.splits[question.split] ?? LabelCounts.Split(question.split, canary: none, stable: none)
        for index in none.indices {
            split.canary[index] += canary[index] - labels.canary[index]
            split.stable[index] += stable[index] - labels.stable[index]
        }
        labels.splits[question.split] = split
        (labels.canary, labels.stable) = (canary, stable)
        self.labels[question.gate.name] = labels
        return LabelCounts(
            began: Timestamp(milliseconds: 0),
            splits: labels.splits.values.sorted { $0.split < $1.split }
        )
    }

    private mutating func counted(
        _ question: Question,
        of values: Int,
        bounds: [Double]? = nil,
        _ dice: inout Dice,
        count: (inout [Double], Int, Bool, inout Dice) -> Void
    ) -> Measurement.Answer {
        let readings = [question.canary, question.stable].map { revision in
            let none = Tally(values: Array(repeating: 0, count: values))
            var tally = self.tallies[question.gate.name]?[revision] ?? none
            let requests = question.counters[revision]?.requests ?? 0
            count(&tally.values, Int(requests - tally.requests), revision == question.canary, &dice)
            tally.requests = requests
            self.tallies[question.gate.name, default: [:]][revision] = tally
            let times = Array(repeating: question.time, count: bounds == nil ? values : 1)
            return TrackReading(times: times, values: tally.values, bounds: bounds)
        }
        return .counted(canary: readings[0], stable: readings[1])
    }
}
