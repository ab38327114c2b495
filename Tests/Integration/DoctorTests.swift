import Foundation
import Testing

extension Sandbox {
    /// `controller doctor`, by whose configuration the socket is.
    fileprivate func doctor(_ arguments: String...) async throws -> Machine.Ended {
        try await Machine.run(
            try Machine.controller(),
            ["doctor", "--config", "\(self.folder)/controller.yaml"] + arguments,
            environment: self.environment,
            at: self.folder
        )
    }
}

extension IntegrationTests {
    @Test
    func `bash completes a deployment's name by what the controller knows`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let folder = URL(filePath: try Machine.controller()).deletingLastPathComponent().path
            let environment = sandbox.environment.merging([
                "CONTROLLER_SOCKET": sandbox.socket, "PATH": "\(folder):/usr/bin:/bin",
            ]) { $1 }
            for (line, words) in [
                ("controller rollback d", ["default/echo"]), ("controller stat", ["status"]),
                ("controller pause --socket /nonexistent/s d", []),
            ] {
                let script = """
                    source <(controller --generate-completion-script bash)
                    COMP_LINE='\(line)'; COMP_WORDS=($COMP_LINE); COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
                    COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_KEY=9
                    _controller controller "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
                    printf '%s\\n' "${COMPREPLY[@]}"
                    """
                let done = try await Machine.run(
                    "/bin/bash",
                    ["-c", script],
                    environment: environment,
                    at: sandbox.folder
                )
                #expect(done.output.split(whereSeparator: \.isWhitespace).map(String.init) == words, "\(done)")
            }
        }
    }

    @Test
    func `the doctor finds what is wrong, with what mends it, before the start and while it runs`() async throws {
        try await Sandbox.run { sandbox in
            try sandbox.configureForPrometheus()
            try await sandbox.merge(Release(version: "1"))
            let ill = try await sandbox.doctor()
            #expect(ill.status == 1)
            #expect(ill.output.contains("ok       controller: none runs on \(sandbox.socket)"), "\(ill.output)")
            #expect(ill.output.contains("ok       git models: main at "), "\(ill.output)")
            #expect(ill.output.contains(", 1 deployments"), "\(ill.output)")
            #expect(ill.output.contains("ERROR    metrics prometheus: "), "\(ill.output)")
            #expect(ill.output.contains("ok       ports: `local.listen` 127.0.0.1:\(sandbox.listen) is free"))
            #expect(ill.error == "error: 1 thing is wrong: mend what is marked ERROR\n")
            let offline = try await sandbox.doctor("--offline")
            #expect(offline.status == 0, "\(offline.output)\(offline.error)")
            #expect(!offline.output.contains("git models"))

            // All is well, then the branch is not there, and then a field is no field.
            try sandbox.configure()
            try await sandbox.startController()
            try await sandbox.serves("1")
            let well = try await sandbox.doctor()
            #expect(well.status == 0, "\(well.output)\(well.error)")
            #expect(well.output.contains("ok       controller: answers on \(sandbox.socket), with 1 deployments"))
            #expect(!well.output.contains("is free"), "what this controller has is not asked for")
            let file = "\(sandbox.folder)/controller.yaml"
            let text = try String(contentsOfFile: file, encoding: .utf8)
            try sandbox.write(file, text.replacing("path: deployments", with: "branch: gone, path: deployments"))
            try sandbox.write(file, text.replacing("local:", with: "runtimes: [/nonexistent/runtimes]\nlocal:"))
            let bare = try await sandbox.doctor()
            #expect(bare.output.contains("ERROR    runtimes: `runtimes` names /nonexistent/runtimes"), "\(bare.output)")
            #expect(bare.output.contains("its manifests are not looked at without the runtimes"), "\(bare.output)")
            try sandbox.write(file, text.replacing("path: deployments", with: "branch: gone, path: deployments"))
            let gone = try await sandbox.doctor("--output", "json")
            #expect(gone.status == 1)
            let findings = try JSONDecoder().decode([Found].self, from: Data(gone.output.utf8))
            let problem = try #require(findings.first { $0.subject == "git models" })
            #expect(problem.level == "error")
            #expect(problem.text.contains("gone"), "\(problem.text)")
            try sandbox.write(file, text.replacing("poll:", with: "pol:"))
            let unread = try await sandbox.doctor()
            #expect(unread.status == 2)
            #expect(unread.error.contains("controller.yaml:4:1: error: pol: unknown field"), "\(unread.error)")
        }
    }
}

private struct Found: Decodable {
    var level: String
    var subject: String
    var text: String
}
