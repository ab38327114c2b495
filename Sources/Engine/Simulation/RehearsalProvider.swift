import Analysis
import Deployments

/// Answers for gates whose evidence others have: as healthy as stable's, unless somebody says otherwise.
struct RehearsalProvider {
    private var tallies: [String: [Revision: Tally]] = [:]

    /// What one gate has counted for one revision.
    private struct Tally {
        var requests: Int64 = 0
        var values: [Double]
    }

    /// What is asked, and of whom.
    struct Question {
        var gate: Gate
        var canary: Revision
        var stable: Revision
        /// What the router has counted.
        var counters: [Revision: TrackCounters]
        /// The number that somebody gave for the gate.
        var assumed: Double?
        var time: Timestamp
    }

    /// - Returns: Nothing for gates that nobody needs to be asked about.
    mutating func answer(_ question: Question, _ dice: inout Dice) -> Measurement? {
        let answer: Measurement.Answer
        switch question.gate.kind {
        case .errors, .clientErrors, .latency: return nil
        case .threshold(let query):
            answer = .value(question.assumed ?? query.maximum ?? query.minimum ?? 0)
        case .ratio:
            let share = Rehearsal.assumedShare
            answer = self.counted(question, of: 2, &dice) { values, requests, isCanary, dice in
                let rate = isCanary ? min(1, max(0, question.assumed ?? share)) : share
                values[0] += Double(dice.hits(of: requests, probability: rate))
                values[1] += Double(requests)
            }
        }
        return Measurement(gate: question.gate.name, time: question.time, answer: answer)
    }

    private mutating func counted(
        _ question: Question,
        of values: Int,
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
            let times = Array(repeating: question.time, count: values)
            return TrackReading(times: times, values: tally.values)
        }
        return .counted(canary: readings[0], stable: readings[1])
    }
}
