import Deployments
import Foundation
import Reconciliation
import Testing

@testable import LocalPlatform

@Suite
struct `Golden answers` {
    @Test(
        arguments: [
            (#"{"a": 1}"#, #"{"a": 1.0005, "b": 2}"#, nil),
            (#"{"a": 1}"#, #"{"a": 1.002}"#, "a: expected 1, got 1.002"),
            (#"{"a": [1, {"b": true}]}"#, #"{"a": [1, {"b": true, "c": null}]}"#, nil),
            (#"{"a": [1]}"#, #"{"a": [1, 2]}"#, "a: expected [1], got [1,2]"),
            (#"{"a": true}"#, #"{"a": 1}"#, "a: expected true, got 1"),
            (#"{"a": {"b": "x"}}"#, #"{"a": {}}"#, "a.b: expected \"x\", got nothing"),
            (#""x""#, #""y""#, #"the answer: expected "x", got "y""#),
            (#"null"#, #"null"#, nil),
        ] as [(String, String, String?)]
    )
    func `contain what is expected, numbers within the tolerance`(
        expected: String,
        answer: String,
        mismatch: String?
    ) throws {
        let (expected, answer) = (try #require(JSONValue(expected)), try #require(JSONValue(answer)))
        #expect(expected.mismatch(in: answer, tolerance: 1e-3)?.description == mismatch)
    }

    @Test
    func `are quoted in bounds and without control characters`() throws {
        let long = JSONValue.string(String(repeating: "\u{7}\u{202e}x", count: 1000))
        let text = try #require(JSONValue.string("y").mismatch(in: long, tolerance: 0)).description
        #expect(text.count < 300)
        #expect(!text.unicodeScalars.contains("\u{7}"))
        #expect(!text.unicodeScalars.contains("\u{202e}"))
    }

    @Test(arguments: ["{", "", "[NaN]", "{\"a\": 1} x", String(repeating: "[", count: 100_000)])
    func `that are not JSON are recognised`(text: String) {
        #expect(JSONValue(text) == nil)
    }

    @Test
    func `signatures keep only names, types and shapes, in one order`() throws {
        let metadata = try #require(
            JSONValue(
                #"{"outputs": [{"name": "b\n", "shape": [2]}, {"shape": [1], "name": "a", "x": 1}], "name": "m"}"#
            )
        )
        #expect(
            ReplicaProbe.canonicalSignature(metadata)
                == #"{"inputs":[],"outputs":[{"name":"a","shape":[1]},{"name":"b\u000a","shape":[2]}]}"#
        )
    }
}

@Suite
struct `The back-off of restarts` {
    @Test
    func `doubles from one second to a minute`() {
        let backoff = RestartBackoff()
        let middle = (1...9).map { backoff.delay(crashes: $0, spread: 0.5) }
        #expect(middle == [1, 2, 4, 8, 16, 32, 60, 60, 60].map { Duration.seconds($0) })
        #expect(backoff.delay(crashes: 3, spread: 0) == .milliseconds(3200))
        #expect(backoff.delay(crashes: 3, spread: 1) == .milliseconds(4800))
        #expect(backoff.delay(crashes: 1, spread: 0) == .seconds(1))
        #expect(backoff.delay(crashes: .max, spread: 1) == .seconds(60))
    }
}

@Suite
struct `Launch variables` {
    static let variables: LaunchVariables = {
        let spec = DeploymentSpec(
            id: DeploymentID(namespace: "a", name: "b"),
            revision: Revision(digest: "0"),
            origin: CommitReference(repository: "r", branch: "m", commit: "0"),
            model: Model(name: "my model", version: "v1", format: "onnx", uri: "file:///m"),
            runtime: ServingRuntime(name: "r", command: ["r"]),
            parameters: ["evil": "${port}; rm -rf $(x)"]
        )
        return LaunchVariables(
            launch: ReplicaLaunch(spec: spec, artifact: "/a b"),
            endpoint: Endpoint(host: "127.0.0.1", port: 9)
        )
    }()

    @Test(
        arguments: [
            ("plain $ {x}", "plain $ {x}"), ("--p=${port}:${host}", "--p=9:127.0.0.1"),
            ("${model.path}/${model.name}@${model.version}", "/a b/my model@v1"),
            ("${parameters.evil}", "${port}; rm -rf $(x)"),
        ]
    )
    func `are replaced once, by exactly their value`(text: String, result: String) throws {
        #expect(try Self.variables.substitute(text, in: "command") == result)
    }

    @Test(arguments: ["${nothing}", "${", "${port", "${}", "${parameters.none}"])
    func `that are not known are refused`(text: String) {
        let error = #expect(throws: PlatformError.self) { try Self.variables.substitute(text, in: "command") }
        #expect(error?.code == .unknownVariable)
    }

    @Test
    func `become one segment in a path`() throws {
        #expect(try Self.variables.substitutePath("/v2/${model.name}/x", in: "readiness.path") == "/v2/my%20model/x")
    }
}

@Suite
struct `The health of a replica` {
    static let runtime = ServingRuntime(
        name: "r",
        command: ["r"],
        readiness: ServingRuntime.Probe(path: "/", successThreshold: 2, failureThreshold: 3),
        startupTimeout: .seconds(60)
    )

    @Test
    func `needs successes in a row, then a right answer`() {
        let start = ContinuousClock.now
        var health = ReplicaHealth(runtime: Self.runtime, isReady: false, wasReady: false, age: .zero, at: start)
        #expect(health.probed(.yes, at: start) == .carryOn)
        #expect(health.probed(.notYet("503"), at: start) == .carryOn)
        #expect(health.probed(.yes, at: start) == .carryOn)
        #expect(health.probed(.yes, at: start) == .examine)
        #expect(health.examined(.notYet("loading"), at: start) == .carryOn)
        #expect(health.probed(.yes, at: start) == .examine)
        #expect(health.examined(.yes, at: start) == .becameReady)
        #expect(health.probed(.yes, at: start) == .carryOn)
    }

    @Test
    func `ends with a wrong answer, and with refusals that do not stop`() {
        let start = ContinuousClock.now
        var health = ReplicaHealth(runtime: Self.runtime, isReady: false, wasReady: false, age: .zero, at: start)
        #expect(health.examined(.refused("400"), at: start) == .carryOn)
        #expect(health.examined(.refused("400"), at: start) == .carryOn)
        #expect(health.examined(.refused("400"), at: start) == .fail("400"))
        #expect(health.examined(.wrong("x"), at: start) == .fail("x"))
        var experienced = ReplicaHealth(runtime: Self.runtime, isReady: false, wasReady: true, age: .zero, at: start)
        #expect(experienced.examined(.wrong("x"), at: start) == .giveUp("x"))
    }

    @Test
    func `counts the time of an adopted process from its start`() {
        let start = ContinuousClock.now
        var health = ReplicaHealth(runtime: Self.runtime, isReady: false, wasReady: false, age: .seconds(50), at: start)
        #expect(health.probed(.notYet("503"), at: start + .seconds(9)) == .carryOn)
        #expect(health.probed(.notYet("503"), at: start + .seconds(10)) == .giveUp("not ready within 1m: 503"))
    }

    @Test
    func `is lost after failures in a row, and given up after a longer time`() {
        let start = ContinuousClock.now
        var health = ReplicaHealth(runtime: Self.runtime, isReady: true, wasReady: true, age: .zero, at: start)
        #expect(health.probed(.notYet("503"), at: start) == .carryOn)
        #expect(health.probed(.notYet("503"), at: start) == .carryOn)
        #expect(health.probed(.notYet("503"), at: start) == .becameUnready("3 failed probes in a row: 503"))
        #expect(health.probed(.notYet("503"), at: start + .seconds(59)) == .carryOn)
        #expect(health.probed(.notYet("503"), at: start + .seconds(60)) == .giveUp("not ready again within 1m: 503"))
    }
}

@Suite
struct `The log of a replica` {
    @Test
    func `shows its last lines, clean and bounded`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "log-\(UUID())")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data("old run\nA\n\u{1b}[31mB\u{1b}[0m\u{7}\n\nC\nD \u{202e}\n\n".utf8).write(to: file)
        let log = ReplicaLog(path: file.path, limit: 1 << 20)
        #expect(log.tail(since: 0) == "B\u{fffd} / C / D \u{fffd}")
        #expect(log.tail(since: log.size) == "")
        #expect(log.tail(since: log.size + 1) == log.tail(since: 0))
        try Data(String(repeating: "x", count: 5000).utf8).write(to: file)
        #expect(log.tail(since: 0).count == 401)
    }

    @Test
    func `keeps its end when it grows over its limit`() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "log-\(UUID())")
        defer {
            try? FileManager.default.removeItem(at: file)
            try? FileManager.default.removeItem(atPath: file.path + ".1")
        }
        try Data((String(repeating: "x", count: 30_000) + "\nend").utf8).write(to: file)
        let log = ReplicaLog(path: file.path, limit: 20_000)
        log.bound()
        #expect(log.size == 0)
        #expect(try String(contentsOfFile: file.path + ".1", encoding: .utf8).hasSuffix("x\nend"))
        #expect(try Data(contentsOf: URL(filePath: file.path + ".1")).count == 5000)
    }
}
