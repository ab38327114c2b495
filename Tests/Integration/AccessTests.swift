import ControllerAPI
import Foundation
import LoopbackServer
import Testing

extension Sandbox {
    /// The API over TLS on the spare port, and its certificate.
    fileprivate func serveOverTLS(_ more: String = "") async throws {
        let made = try await Machine.run(
            "/usr/bin/env",
            [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                "\(self.folder)/key.pem", "-out", self.certificate,
            ],
            environment: self.environment,
            at: self.folder
        )
        try #require(made.status == 0, "\(made.error)")
        let listen = "listen: \"127.0.0.1:\(self.sparePort)\""
        let files = "certificateFile: \"\(self.certificate)\", keyFile: \"\(self.folder)/key.pem\""
        try self.configure(settings: "api: {\(listen), \(files)\(more)}")
        try await self.startController()
    }

    fileprivate var certificate: String { "\(self.folder)/cert.pem" }

    fileprivate func remote(_ token: String?) -> ControllerClient {
        let url = "https://127.0.0.1:\(self.sparePort)"
        return ControllerClient(
            .server(ControllerTarget.RemoteServer(url: url, token: token, caFile: self.certificate)),
            timeout: .seconds(30)
        )
    }

    fileprivate func controller(_ arguments: String..., input: String? = nil) async throws -> Machine.Ended {
        try await self.controller(arguments, input: input)
    }

    fileprivate func controller(_ arguments: [String], input: String? = nil) async throws -> Machine.Ended {
        var environment = self.environment
        environment["XDG_CONFIG_HOME"] = "\(self.folder)/config"
        if let input {
            try self.write("\(self.folder)/token", input)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(self.folder)/token")
        }
        return try await Machine.run(try Machine.controller(), arguments, environment: environment, at: self.folder)
    }
}

extension IntegrationTests {
    @Test
    func `somebody on call with a token can pause from another machine, and not promote`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.serveOverTLS()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let made = try await sandbox.controller(
                "token",
                "create",
                "on-call",
                "--verb",
                "pause",
                "--verb",
                "rollback",
                "--socket",
                sandbox.socket
            )
            #expect(made.status == 0, "\(made.error)")
            let token = made.output.trimmingCharacters(in: .newlines)
            #expect(token.hasPrefix("ctl_"))
            let added = try await sandbox.controller(
                "context",
                "add",
                "here",
                "--server",
                "https://127.0.0.1:\(sandbox.sparePort)",
                "--ca-file",
                sandbox.certificate,
                "--token-file",
                "token",
                input: token
            )
            #expect(added.status == 0, "\(added.error)")
            try await sandbox.until("TLS is served") {
                try await sandbox.controller("whoami").output.contains("you are     token:on-call")
            }
            let paused = try await sandbox.controller("pause", Sandbox.name, "--why", "incident 4711")
            #expect(paused.status == 0, "\(paused.error)")
            let status = try #require(await sandbox.status())
            #expect(status.holds.first?.by == "token:on-call")
            let promoted = try await sandbox.controller("promote", Sandbox.name)
            #expect(promoted.status == 1)
            #expect(promoted.error.contains("token:on-call may not promote"), "\(promoted.error)")

            // Over a restart the token is good, and revoked it is not, from the next request on.
            sandbox.killController()
            try await sandbox.startController()
            try await sandbox.until("TLS is served again") {
                try await sandbox.controller("get").status == 0
            }
            let id = try #require(token.split(separator: "_").dropFirst().first)
            let revoked = try await sandbox.controller("token", "revoke", "\(id)", "--socket", sandbox.socket)
            #expect(revoked.status == 0, "\(revoked.error)")
            let refused = try await sandbox.controller("get")
            #expect(refused.status == 1)
            #expect(refused.error.contains("a valid token is needed"), "\(refused.error)")
            let log = try String(contentsOfFile: sandbox.log, encoding: .utf8)
            #expect(!log.contains(try #require(token.split(separator: "_").last)))
        }
    }

    @Test
    func `a certificate that is gone ends nothing, and is taken when it is there again`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.serveOverTLS()
            sandbox.killController()
            let config = ["--config", "\(sandbox.folder)/controller.yaml", "--offline"]
            let well = try await sandbox.controller(["doctor"] + config)
            #expect(well.output.contains("warning  API certificate: \(sandbox.certificate) ends in 1 days"), "\(well)")
            let aside = "\(sandbox.folder)/aside.pem"
            try FileManager.default.moveItem(atPath: sandbox.certificate, toPath: aside)
            let ill = try await sandbox.controller(["doctor"] + config)
            #expect(ill.status == 1)
            #expect(ill.output.contains("ERROR    API certificate: the API cannot be served over TLS"), "\(ill)")
            try await sandbox.startController()
            try await sandbox.until("the log says so") {
                try String(contentsOfFile: sandbox.log, encoding: .utf8).contains("API over TLS is not served")
            }
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            try FileManager.default.moveItem(atPath: aside, toPath: sandbox.certificate)
            let made = try await sandbox.controller(
                "token",
                "create",
                "viewer",
                "--role",
                "viewer",
                "--socket",
                sandbox.socket
            )
            let client = sandbox.remote(made.output.trimmingCharacters(in: .newlines))
            try await sandbox.until("TLS is served") { (try? await client.fleet())?.deployments.count == 1 }
        }
    }
}
