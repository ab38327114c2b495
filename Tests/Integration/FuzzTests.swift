import Foundation
import Testing

extension IntegrationTests {
    /// With `FUZZ_CASES` so many or more, else some hundred. `SEED` draws them.
    @Test
    func `the fuzzer finds nothing that the API document does not say`() async throws {
        let environment = ProcessInfo.processInfo.environment
        let wanted = environment["FUZZ_CASES"].flatMap { Int($0) } ?? 300
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let socat = try sandbox.start(
                try Machine.program("socat"),
                [
                    "TCP-LISTEN:\(sandbox.sparePort),bind=127.0.0.1,fork,reuseaddr,backlog=64",
                    "UNIX-CONNECT:\(sandbox.socket)",
                ],
                output: "\(sandbox.folder)/socat.log"
            )
            defer { socat.terminate() }
            var cases = 0
            // Of the deployment that there is, and of whatever the fuzzer thinks of.
            for parameters in [
                "[parameters]\n\"path.namespace\" = \"default\"\n\"path.name\" = \"\(Sandbox.name)\"\n", "",
            ] {
                cases += try await Fuzzing(
                    sandbox: sandbox,
                    parameters: parameters,
                    examples: max(1, wanted / 32),
                    seed: environment["SEED"] ?? "1"
                ).run()
            }
            try #require(sandbox.isControllerRunning, "the controller ended:\n\(sandbox.lastWords)")
            print("the API was fuzzed with \(cases) cases")
            #expect(cases >= wanted)
        }
    }
}

/// One run of Schemathesis.
private struct Fuzzing {
    let sandbox: Sandbox
    /// Of its configuration.
    let parameters: String
    /// For each operation, besides those that Schemathesis makes of the document itself.
    let examples: Int
    let seed: String

    /// - Returns: How many cases were sent.
    func run() async throws -> Int {
        let folder = self.sandbox.folder
        let settings = try String(contentsOfFile: "\(Machine.fixtures)/schemathesis.toml", encoding: .utf8)
        try self.sandbox.write("\(folder)/schemathesis.toml", "\(settings)\n\(self.parameters)")
        let fuzzer = "\(Machine.root)/.fuzz/bin/schemathesis"
        guard FileManager.default.isExecutableFile(atPath: fuzzer) else {
            throw Machine.Missing(description: "\(fuzzer) is missing: run `make setup`")
        }
        let ended = try await Machine.run(
            fuzzer,
            [
                "--config-file", "\(folder)/schemathesis.toml", "run",
                "http://127.0.0.1:\(self.sandbox.sparePort)/api/v1/openapi.json", "--seed", self.seed,
                "--max-examples", "\(self.examples)", "--continue-on-failure", "--no-color",
            ],
            environment: self.sandbox.environment,
            at: folder
        )
        // Bodies may be thousands of characters long, each in one line.
        let told = ended.output.split(separator: "\n").map { $0.prefix(400) }.joined(separator: "\n")
        #expect(ended.status == 0, "\(told.suffix(12_000))\n\(ended.error.suffix(2000))")
        let count = ended.output.firstMatch(of: /([0-9]+) generated/)?.1
        return try #require(count.flatMap { Int($0) }, "\(ended.output.suffix(4000))")
    }
}
