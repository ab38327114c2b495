package import ControllerAPI
import Foundation

/// What only the page shows: measurements over time, the manifest, and texts of people who mean harm.
extension Statuses {
    /// Two steps of a rollout, each measured for some minutes; the canary's answers get slower in the second.
    package static var series: SeriesStatus {
        var series = SeriesStatus(
            deployment: "search/file-type",
            canary: Self.midCanary.canary?.revision ?? "",
            stable: Self.midCanary.stable?.revision,
            pointSeconds: 8
        )
        let start = -700.0
        for index in 0...85 {
            let seconds = start + Double(index) * 8
            let weight = seconds < -500 ? 0 : seconds < -252 ? 5 : 25
            series.traffic.append(.init(time: Self.ago(-seconds), canary: weight, stable: 100 - weight))
        }
        series.gates = [
            Self.gate("errors", "answers 5xx, resets and timeouts", start: -500, canary: [0.0012, 0.0011]),
            Self.gate("latency", "answers slower than 250ms", start: -500, canary: [0.0101, 0.0142]),
        ]
        return series
    }

    /// The measured share goes towards `canary` of each step, and its interval narrows with the number of requests.
    private static func gate(_ name: String, _ counts: String, start: Double, canary: [Double]) -> SeriesStatus.Gate {
        var gate = SeriesStatus.Gate(name: name, counts: counts, limit: "at most 1.1 times stable's")
        for (step, bounds) in [(1, start..<(-252)), (2, -252..<(-12))] {
            for seconds in stride(from: bounds.lowerBound + 8, to: bounds.upperBound, by: 8) {
                let requests = (seconds - bounds.lowerBound) * (step == 1 ? 2 : 10)
                let wobble = 1 + 0.4 * sin(seconds / 17) / (1 + requests / 300)
                let (share, stable) = (canary[step - 1] * wobble, canary[0] * 0.98)
                gate.points.append(
                    SeriesStatus.Point(
                        time: Self.ago(-seconds),
                        step: step,
                        outcome: name == "errors" && step == 1 ? "passed" : "inconclusive",
                        canary: Self.share(share, requests),
                        stable: Self.share(stable, requests * 9),
                        limit: stable * 1.1,
                        breachEvidence: step == 2 && name == "latency" ? min(0.31, requests / 7000) : 0.02,
                        safeEvidence: min(1, requests / 900)
                    )
                )
            }
        }
        return gate
    }

    private static func share(_ value: Double, _ requests: Double) -> SeriesStatus.Share {
        let half = 1.96 * (value * (1 - value) / requests).squareRoot()
        return SeriesStatus.Share(
            value: value,
            lower: max(0, value - half),
            upper: min(1, value + half + 1 / requests),
            requests: Int64(requests)
        )
    }

    package static var spec: SpecStatus {
        SpecStatus(
            deployment: "search/file-type",
            repository: "models",
            branch: "main",
            commit: Self.newCommit.commit,
            file: "search/file-type.yaml",
            values: [
                .init(field: "metadata.labels.team", value: "search", origin: "search/defaults.yaml:4"),
                .init(field: "spec.model.name", value: "magika", origin: "search/file-type.yaml:6"),
                .init(field: "spec.model.uri", value: "models:/magika@champion", origin: "search/file-type.yaml:7"),
                .init(field: "spec.rollout.bakeTime", value: "30m", origin: "default"),
            ],
            problems: []
        )
    }

    /// A gate failed and its manifest says to hold: nothing moves until somebody decides.
    package static var gateHolds: DeploymentStatus {
        var status = Self.midCanary
        status.health = .held
        status.message = "magika 3.4 (main@sha1:1eabc9a4) gets 25 % in step 2 of 4"
        let evidence = "canary 2.9 % of 2400 (2.3 to 3.6 %), stable 1.0 % of 21600 (0.9 to 1.1 %)"
        status.holds = [
            HoldStatus(
                kind: "gate",
                why: "gate latency failed, and its manifest says to hold: \(evidence)",
                remedy: "controller abort search/file-type"
            )
        ]
        status.gates[1] = GateStatus(
            name: "latency",
            outcome: "failed",
            value: "slower than 250 ms: \(evidence)",
            limit: "at most 1.1 times stable's",
            breachEvidence: 1,
            safeEvidence: 0,
            detail: "worse than stable beyond chance (false alarms: at most 1 % of rollouts)"
        )
        status.waitingFor = []
        status.next = [NextStatus(what: "nothing goes forward while it is held; what takes traffic back still does")]
        return status
    }

    /// Every field has a value.
    package static var everything: DeploymentStatus {
        var status = Self.paused
        status.gates = Self.midCanary.gates
        status.previous = Self.stable(weight: 0)
        status.canary?.resolved = "models:/magika@champion is version 7, pinned since Monday"
        status.stable?.resolved = "models:/magika@champion is version 6, pinned since Sunday"
        status.autoscaling = Self.autoscaled.autoscaling
        status.waitingFor = ["gate latency to decide"]
        status.quarantined = Self.rolledBack.quarantined
        status.diagnostics = ["search/file-type.yaml:12: unknown field"]
        status.bakeEnds = Self.ago(-600)
        status.pin = PinStatus(revision: "a3f0", by: "alice")
        status.modelUpdate = ModelUpdateStatus(message: "version 8 is proposed", since: Self.ago(50), isProblem: true)
        status.desired?.commit = "ffffffff"
        return status
    }

    /// What somebody may write who can write anything: tags, ends of attributes and titles, also where a combining mark
    /// hides the quotation mark from whoever compares characters.
    package static let attack = """
        </title></textarea><script>window.owned=1</script><img src=x onerror="window.owned=1">\
        " onmouseover="window.owned=1" autofocus onfocus="window.owned=1" x="\
        "\u{301} onfocus="window.owned=1" tabindex="1" y='\u{301} z=javascript:window.owned=1 &quot;-->{{b}}
        """

    /// The value with `text` in place of every string that is not one of a few known words.
    package static func with<Value: Codable>(_ text: String, in value: Value) throws -> Value {
        let tree = try JSONSerialization.jsonObject(with: APICoding.encoder().encode(value), options: .fragmentsAllowed)
        let data = try JSONSerialization.data(withJSONObject: Self.replaced(tree, text), options: .fragmentsAllowed)
        return try APICoding.decoder().decode(Value.self, from: data)
    }

    /// The value as it would be if its moments were so much later.
    package static func later<Value: Codable>(_ value: Value, by seconds: Double) throws -> Value {
        func shifted(_ tree: Any) -> Any {
            switch tree {
            case let object as [String: Any]: object.mapValues(shifted)
            case let list as [Any]: list.map(shifted)
            case let word as String:
                APICoding.date(of: word).map { APICoding.text(of: $0.addingTimeInterval(seconds)) } ?? word
            default: tree
            }
        }
        let tree = try JSONSerialization.jsonObject(with: APICoding.encoder().encode(value))
        return try APICoding.decoder().decode(Value.self, from: JSONSerialization.data(withJSONObject: shifted(tree)))
    }

    private static func replaced(_ tree: Any, _ text: String, key: String = "") -> Any {
        switch tree {
        case let object as [String: Any]:
            Dictionary(uniqueKeysWithValues: object.map { ($0.key, Self.replaced($0.value, text, key: $0.key)) })
        case let list as [Any]:
            list.map { Self.replaced($0, text, key: key) }
        case let word as String:
            // Types, not texts.
            ["health", "state"].contains(key) && Self.words.contains(word) || APICoding.date(of: word) != nil
                ? word : text
        default: tree
        }
    }

    private static let words: Set<String> = [
        "healthy", "progressing", "held", "degraded", "unknown", "done", "current", "pending",
    ]

    /// Deployments of all kinds under names of their own.
    package static var fleet: FleetStatus {
        var deployments = Self.all.map { name, status in
            var status = status
            status.name = name
            return status
        }
        var held = Self.gateHolds
        held.name = "gate-holds"
        deployments.append(held)
        return FleetStatus(
            time: Self.now,
            deployments: deployments,
            sources: [
                SourceStatus(
                    repository: "models",
                    branch: "main",
                    commit: Self.newCommit.commit,
                    lastPolled: Self.ago(12),
                    problem: nil,
                    diagnostics: []
                )
            ]
        )
    }
}
