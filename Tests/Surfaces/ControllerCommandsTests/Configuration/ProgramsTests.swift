import ControllerCommands
import Foundation
import Testing

struct ProgramsTests {
    @Test
    func `programs that the controller needs and that are not there are named with what to do`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(at: folder) }  // the machine's own cleaning would do it too
        for name in ["git", "prlimit", "own-envoy"] {
            let program = folder.appending(path: name).path
            #expect(FileManager.default.createFile(atPath: program, contents: Data("#!/bin/sh\n".utf8)))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
        }
        // Neither a folder nor a file that cannot be run is a program.
        try FileManager.default.createDirectory(at: folder.appending(path: "ssh"), withIntermediateDirectories: false)
        #expect(FileManager.default.createFile(atPath: folder.appending(path: "gpg").path, contents: Data()))

        let configuration = try Configuration(
            reading: Array(
                """
                repositories:
                  - name: models
                    url: ssh://git@git.example/models.git
                    signatures: {require: head, gpgKeyring: /k, allowedSignersFile: /s}
                local: {envoy: \(folder.path)/own-envoy}
                """.utf8
            ),
            path: "c.yaml",
            environment: [:],
            overrides: ConfigurationOverrides()
        )
        #expect(
            configuration.missingPrograms(in: "/nowhere:\(folder.path)") == [
                "error: no program `ssh` in PATH (/nowhere:\(folder.path)): apt install openssh-client",
                "error: no program `ssh-keygen` in PATH (/nowhere:\(folder.path)): apt install openssh-client",
                "error: no program `gpg` in PATH (/nowhere:\(folder.path)): apt install gnupg",
            ]
        )
        #expect(configuration.missingPrograms(in: "").count == 5)
    }
}
