import ControllerAPI
import Foundation
import Testing

/// What comes from git and from where models are kept.
extension IntegrationTests {
    @Test
    func `a wrong digest stops the rollout, and a fix that overtakes it is rolled out`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let wrong = "sha256:" + String(repeating: "0", count: 64)
            let bad = try await sandbox.merge(Release(version: "2", digest: wrong))
            let sum = try await Machine.run(
                try Machine.program("sha256sum"),
                ["\(sandbox.models)/2"],
                environment: sandbox.environment,
                at: sandbox.folder
            )
            let right = "sha256:\(sum.output.prefix(64))"

            let status = try await sandbox.wait(for: "the refusal") { !$0.quarantined.isEmpty && $0.canary == nil }
            let reason = try #require(status.quarantined.first?.reason)
            #expect(reason.contains(wrong), "\(reason)")
            #expect(reason.contains(right), "\(reason)")
            #expect(status.stable?.modelVersion == "1")
            // It never ran.
            #expect(sandbox.processes("--model-version=2").isEmpty)
            try await sandbox.until("the note on \(bad)") {
                try await sandbox.note(on: bad)?.contains("rolled-back") ?? false
            }

            // Nobody asks for anything here, so no gate could pass.
            try await sandbox.merge(Release(version: "2", digest: right, gates: []))
            try await sandbox.serves("2")
        }
    }

    @Test
    func `an unsigned merge waits with the reason shown, and is rolled out under a signed one`() async throws {
        try await Sandbox.run { sandbox in
            let (key, signers) = ("\(sandbox.folder)/signer", "\(sandbox.folder)/allowed_signers")
            let made = try await Machine.run(
                try Machine.program("ssh-keygen"),
                ["-q", "-t", "ed25519", "-N", "", "-C", "ada", "-f", key],
                environment: sandbox.environment,
                at: sandbox.folder
            )
            try #require(made.status == 0, "\(made.error)")
            let publicKey = try String(contentsOfFile: key + ".pub", encoding: .utf8)
            try sandbox.write(signers, "ada@example.org namespaces=\"git\" \(publicKey)")
            let settings = ["gpg.format": "ssh", "user.signingKey": key, "commit.gpgSign": "true"]
            for (name, value) in settings { try await sandbox.git("-C", sandbox.clone, "config", name, value) }
            try sandbox.configure(signatures: "{require: head, allowedSignersFile: \"\(signers)\"}")
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")

            try await sandbox.git("-C", sandbox.clone, "config", "commit.gpgSign", "false")
            let unsigned = try await sandbox.merge(Release(version: "2", gates: []))
            try await sandbox.until("the reason is shown") {
                let problem = await sandbox.fleet()?.sources.first?.problem
                return problem?.contains("is not signed") == true && problem?.contains(unsigned.prefix(8)) == true
            }
            let shown = try await sandbox.command("get")
            #expect((shown.output + shown.error).contains("is not signed"), "\(shown.output)\(shown.error)")
            #expect(sandbox.processes("--model-version=2").isEmpty)
            #expect(await sandbox.status()?.stable?.modelVersion == "1")

            try await sandbox.git("-C", sandbox.clone, "config", "commit.gpgSign", "true")
            try await sandbox.push([:], "Approve")
            try await sandbox.serves("2")
            #expect(await sandbox.fleet()?.sources.first?.problem == nil)
        }
    }

    @Test
    func `a bad commit is told so once, and going back to the good revision changes nothing`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            let good = try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(rate: 120, on: sandbox)
            var release = Release(version: "2", faults: "share=1")
            release.steps = [.long(50)]
            let bad = try await sandbox.merge(release)
            try await sandbox.wait(for: "the rollback") { $0.phase == "settled" && !$0.quarantined.isEmpty }
            try await sandbox.until("the notes") {
                let notes = (try await sandbox.note(on: bad), try await sandbox.note(on: good))
                return notes.0 != nil && notes.1 != nil
            }
            let note = try #require(try await sandbox.note(on: bad))
            #expect(
                note.contains(#""outcome":"rolled-back""#) || note.contains(#""outcome": "rolled-back""#),
                "\(note)"
            )
            #expect(note.contains("gate errors failed"), "\(note)")
            #expect(try await sandbox.note(on: good)?.contains("promoted") == true)
            _ = try await load.end()

            // Seen again, and again in another commit, the same revision stays away.
            try await sandbox.polls(2)
            let again = try await sandbox.push([:], "An empty commit")
            try await sandbox.until("the empty commit is seen") {
                await sandbox.fleet()?.sources.first?.commit == again
            }
            try await sandbox.git("-C", sandbox.clone, "revert", "--no-edit", bad)
            let revert = try await sandbox.pushHead()
            try await sandbox.until("the revert is seen") {
                await sandbox.fleet()?.sources.first?.commit == revert
            }
            try await sandbox.polls(1)

            let status = try #require(await sandbox.status())
            #expect(status.phase == "settled")
            #expect(status.stable?.modelVersion == "1")
            #expect(status.quarantined.count == 1)
            #expect(try await sandbox.count("rollout-started") == 2)
            #expect(try await sandbox.count("rolled-back") == 1)
        }
    }

    @Test
    func `without git, or with a broken manifest, the last good one stands`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let load = try await Load(on: sandbox)

            try FileManager.default.moveItem(atPath: sandbox.remote, toPath: "\(sandbox.remote).away")
            try await sandbox.until("the lost remote is told") {
                await sandbox.fleet()?.sources.first?.problem != nil
            }
            let lost = try await sandbox.command("status", Sandbox.name)
            #expect(lost.status == 0)
            #expect(lost.output.contains("git models: "), "\(lost.output)")
            #expect(lost.output.contains("remote.git"), "\(lost.output)")
            #expect(lost.output.contains("settled"), "\(lost.output)")
            try FileManager.default.moveItem(atPath: "\(sandbox.remote).away", toPath: sandbox.remote)

            let broken = Release(version: "2").manifest(models: sandbox.models)
                .replacing("replicas: 1", with: "replcas: 1")
            try await sandbox.push(["echo.yaml": broken], "A typing error")
            try await sandbox.wait(for: "the diagnostic") { !$0.diagnostics.isEmpty }
            let wrong = try await sandbox.command("status", Sandbox.name)
            #expect(wrong.output.contains("spec.replcas"), "\(wrong.output)")
            #expect(wrong.output.contains("did you mean `replicas`"), "\(wrong.output)")
            let status = try #require(await sandbox.status())
            #expect(status.phase == "settled")
            #expect(status.stable?.modelVersion == "1")
            #expect(try await sandbox.count("rollout-started") == 1)

            try await sandbox.merge(Release(version: "2"))
            try await sandbox.serves("2")
            #expect(await sandbox.status()?.diagnostics == [])
            try await load.endUnharmed()
        }
    }

    @Test
    func `a default that changes what is served rolls out what is below it, and a broken one holds it`() async throws {
        func defaults(_ spec: String) -> [String: String] {
            ["defaults.yaml": "apiVersion: controller/v1\nkind: ModelDeploymentDefaults\nspec: \(spec)\n"]
        }
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1", gates: []), also: defaults("{signature: any}"))
            let first = try #require(try await sandbox.serves("1").stable)
            // In place, as it is no part of a revision.
            try await sandbox.push(defaults("{route: {timeout: 7s}}"), "Another timeout for all")
            let changed = try await sandbox.push(
                defaults("{route: {timeout: 7s}, resources: {memory: 1Gi}}"),
                "Memory for all"
            )
            let status = try await sandbox.wait(for: "the rollout of the default") {
                $0.stable.map { $0.revision != first.revision } ?? false && $0.canary == nil && $0.phase == "settled"
            }
            #expect(status.stable?.commit.commit == changed)
            #expect(try await sandbox.count("rollout-started") == 2)
            let explained = try await sandbox.command("get", Sandbox.name, "--explain-spec")
            #expect(explained.status == 0)
            let lines = explained.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
            #expect(
                lines.contains(["spec.resources.memory", "1Gi", "deployments/defaults.yaml:3"]),
                "\(explained.output)"
            )
            #expect(lines.contains(["spec.replicas", "1", "deployments/echo.yaml:12"]), "\(explained.output)")
            #expect(lines.contains(["spec.signature", "unchanged", "default"]), "\(explained.output)")

            try await sandbox.push(defaults("{replcas: 1}"), "A typing error")
            let wrong = try await sandbox.wait(for: "the diagnostic") {
                $0.diagnostics.contains { $0.contains("deployments/defaults.yaml:3:8: error: spec.replcas") }
            }
            #expect(wrong.phase == "settled")
            #expect(wrong.stable?.revision == status.stable?.revision)
            let held = try await sandbox.command("get", Sandbox.name, "--explain-spec")
            #expect(held.error.contains("spec.replcas"), "\(held.error)")
        }
    }
}
