import Foundation
import Testing

extension IntegrationTests {
    @Test
    func `a support bundle holds what helps and no secret, also when no controller runs`() async throws {
        try await Sandbox.run { sandbox in
            let token = "\(sandbox.folder)/token"
            try sandbox.write(token, "planted-in-file\n")
            let file = "\(sandbox.folder)/controller.yaml"
            let text = try String(contentsOfFile: file, encoding: .utf8)
            let provider = "{name: p, kind: prometheus, url: \"http://127.0.0.1:9\", tokenFile: \"\(token)\"}"
            try sandbox.write(
                file,
                "# was https://ada:planted-in-comment@git.example/ before\n"
                    + text.replacing("providers: []", with: "providers: [\(provider)]")
            )
            try sandbox.write(
                "\(sandbox.folder)/the.log",
                "fetched https://planted-in-url@git.example/m.git\nexport HF_TOKEN=planted-in-variable\nall is well\n"
            )
            try await sandbox.startController()
            var release = Release(version: "1", gates: [])
            release.faults = "none"
            try await sandbox.merge(release)
            try await sandbox.serves("1")

            let running = try await sandbox.bundle("running")
            #expect(running["fleet.json"]?.contains("\"phase\" : \"settled\"") == true)
            #expect(running["events.json"]?.contains("promoted") == true)
            #expect(running["journal.txt"]?.contains("1 deployments, ") == true, "\(running["journal.txt"] ?? "")")
            #expect(running["doctor.txt"]?.contains("controller: answers on") == true)
            #expect(running["settings.txt"]?.contains("poll = 500ms") == true)
            #expect(running["log.txt"]?.contains("all is well") == true)
            #expect(running["version.txt"]?.hasPrefix("controller 0") == true)
            #expect(running["files.txt"]?.contains("journal.sqlite") == true)

            try await sandbox.stopController()
            let stopped = try await sandbox.bundle("stopped")
            #expect(stopped["fleet.json"]?.contains("no controller listens on") == true)
            for part in Array(running) + Array(stopped) {
                #expect(!part.value.contains("planted-in"), "\(part)")
            }
            #expect(running["configuration.yaml"]?.contains("https://[redacted]@git.example/") == true)
            let again = try await sandbox.supportBundle("running")
            #expect(again.status == 2)
            #expect(again.error.contains("is there already"))
        }
    }
}

extension Sandbox {
    fileprivate func supportBundle(_ name: String) async throws -> Machine.Ended {
        try await Machine.run(
            try Machine.controller(),
            [
                "support-bundle", "--config", "\(self.folder)/controller.yaml", "--offline", "--log",
                "\(self.folder)/the.log", "--output", "\(self.folder)/\(name).tar.gz",
            ],
            environment: self.environment,
            at: self.folder
        )
    }

    /// The parts of a new bundle, by their names.
    fileprivate func bundle(_ name: String) async throws -> [String: String] {
        let made = try await self.supportBundle(name)
        try #require(made.status == 0, "\(made.error)")
        let archive = "\(self.folder)/\(name).tar.gz"
        let mode = try FileManager.default.attributesOfItem(atPath: archive)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let folder = "\(self.folder)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        let opened = try await Machine.run(
            try Machine.program("tar"),
            ["-xzf", archive, "-C", folder, "--strip-components=1"],
            environment: self.environment,
            at: self.folder
        )
        try #require(opened.status == 0, "\(opened.error)")
        var parts: [String: String] = [:]
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            parts[file] = try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8)
        }
        return parts
    }
}
