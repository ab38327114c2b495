import Deployments
import Foundation
import LoopbackServer
import Reconciliation
import Testing
import Transport

@testable import Notifications

/// With a real SMTP server (aiosmtpd) on loopback.
@Suite("Mail", .timeLimit(.minutes(5)))
struct MailTests {
    private struct Received: Decodable {
        var from: String
        var to: [String]
        var text: String
        var tls: Bool
        var login: String?

        /// A header field, unfolded.
        func field(_ name: String) -> String? {
            let head = self.text.replacing("\r\n", with: "\n").split(separator: "\n\n", maxSplits: 1)[0]
            let fields = head.replacing("\n ", with: " ").split(separator: "\n")
            return fields.first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) }
        }

        var names: [Substring] {
            let head = self.text.replacing("\r\n", with: "\n").split(separator: "\n\n", maxSplits: 1)[0]
            return head.replacing("\n ", with: " ").split(separator: "\n").compactMap { $0.split(separator: ":").first }
        }

        var body: String {
            let parts = self.text.replacing("\r\n", with: "\n").split(separator: "\n\n", maxSplits: 1)
            let bytes = parts.count == 2 ? Data(base64Encoded: String(parts[1].replacing("\n", with: ""))) : nil
            return String(decoding: bytes ?? Data(), as: UTF8.self)
        }
    }

    private struct Server {
        var folder: String
        var port: Int

        var received: [Received] {
            get throws {
                try String(contentsOfFile: "\(self.folder)/mails", encoding: .utf8).split(separator: "\n").dropFirst()
                    .map { try JSONDecoder().decode(Received.self, from: Data($0.utf8)) }
            }
        }

        func notifier(
            _ encryption: MailRequest.Encryption,
            host: String = "localhost",
            password: String? = nil,
            trusting isTrusted: Bool = true,
            to recipients: [String] = ["oncall@example.com", "ml@example.com"]
        ) throws -> any Notifier {
            if let password { try Fixtures.write(password, to: "\(self.folder)/password") }
            let server = ReceiverConfiguration.MailServer(
                host: host,
                port: self.port,
                encryption: encryption,
                username: password == nil ? nil : "controller",
                passwordFile: password == nil ? nil : "\(self.folder)/password",
                from: "controller@example.com",
                to: recipients
            )
            let ca = isTrusted && encryption != .none ? "\(self.folder)/cert.pem" : nil
            return Fixtures.receivers(.email(server), caFile: ca).notifiers[0]
        }
    }

    private static func running(
        _ way: String,
        login: [String] = [],
        _ body: (Server) async throws -> Void
    ) async throws {
        try await Fixtures.inFolder { folder in
            let certificate = [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                "-keyout",
                "\(folder)/key.pem", "-out", "\(folder)/cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
                "subjectAltName=DNS:localhost",
            ]
            try await Fixtures.running(certificate, output: "\(folder)/openssl") { process in
                try await Fixtures.until("the certificate") { !process.isRunning }
            }
            let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures/smtp_server.py")
            let arguments = ["python3", script.path, way, folder] + login
            try await Fixtures.running(arguments, output: "\(folder)/mails") { process in
                var port: Int?
                try await Fixtures.until("the mail server listens") {
                    let text = try String(contentsOfFile: "\(folder)/mails", encoding: .utf8)
                    let errors = try String(contentsOfFile: "\(folder)/mails.errors", encoding: .utf8)
                    try #require(process.isRunning, "\(errors)")
                    port = text.contains("\n") ? text.split(separator: "\n").first.flatMap { Int($0) } : nil
                    return port != nil
                }
                try await body(Server(folder: folder, port: try #require(port)))
            }
        }
    }

    private static let message = NoticeMessage(
        notices: [Fixtures.notice("rolling-back"), Fixtures.notice(message: "zu spät: 2 % — Ende")],
        leftOut: 2
    )

    @Test(arguments: [("starttls", MailRequest.Encryption.startTLS), ("implicit", .implicit), ("none", .none)])
    func `an incident is a mail of plain text, encrypted as configured`(
        way: String,
        encryption: MailRequest.Encryption
    ) async throws {
        try await Self.running(way) { server in
            let answer = try await server.notifier(encryption).send(Self.message)
            #expect(answer == "250 2.0.0 queued as 7F3A")
            let mail = try #require(try server.received.first)
            #expect(mail.tls == (encryption != .none))
            #expect(mail.from == "controller@example.com")
            #expect(mail.to == ["oncall@example.com", "ml@example.com"])
            #expect(mail.field("Subject") == "[critical] search/file-type: rolled back (magika 3.4)")
            #expect(mail.field("To") == "<oncall@example.com>, <ml@example.com>")
            #expect(mail.field("Date") == MailText.date(Fixtures.time))
            #expect(mail.field("Auto-Submitted") == "auto-generated")
            let body = mail.body
            #expect(body.contains("- rolled back\n  zu spät: 2 % — Ende [Serve magika 3.4]\n"), "\(body)")
            #expect(body.contains("2 earlier events were left out"))
            #expect(body.contains("controller status search/file-type"))
        }
    }

    @Test
    func `a login is used, and a wrong one told without the password`() async throws {
        try await Self.running("starttls", login: ["controller", "right-password"]) { server in
            _ = try await server.notifier(.startTLS, password: "right-password").send(Self.message)
            #expect(try server.received.first?.login == "controller")
            let notifier = try server.notifier(.startTLS, password: "wrong-password")
            let error = try #require(await Fixtures.failure(of: notifier, Self.message))
            #expect(error.code == .notConfigured)
            #expect(error.message.contains("passwordFile") && !error.message.contains("wrong-password"))
            let nobody = try #require(await Fixtures.failure(of: try server.notifier(.startTLS), Self.message))
            #expect(nobody.code == .notConfigured, "\(nobody)")
        }
    }

    @Test
    func `a server without STARTTLS, or one that nobody vouches for, gets neither password nor message`() async throws {
        try await Self.running("none", login: ["controller", "right-password"]) { server in
            let notifier = try server.notifier(.startTLS, password: "right-password")
            let error = try #require(await Fixtures.failure(of: notifier, Self.message))
            #expect(error.code == .notConfigured, "\(error)")
            #expect(try server.received.isEmpty)
        }
        for (way, encryption) in [("starttls", MailRequest.Encryption.startTLS), ("implicit", .implicit)] {
            try await Self.running(way) { server in
                let stranger = try server.notifier(encryption, trusting: false)
                #expect(await Fixtures.failure(of: stranger, Self.message)?.code == .notConfigured)
                // The certificate is another host's.
                let other = try server.notifier(encryption, host: "127.0.0.1")
                #expect(await Fixtures.failure(of: other, Self.message)?.code == .notConfigured)
                #expect(try server.received.isEmpty)
            }
        }
    }

    @Test
    func `a recipient that is refused for good or for now decides whether it is sent again`() async throws {
        try await Self.running("none") { server in
            let nobody = try server.notifier(.none, to: ["nobody@example.com"])
            let refused = try #require(await Fixtures.failure(of: nobody, Self.message))
            #expect(refused.code == .refused && refused.message.contains("550 5.1.1 no such user here"))
            let later = try server.notifier(.none, to: ["later@example.com"])
            let greylisted = try #require(await Fixtures.failure(of: later, Self.message))
            #expect(greylisted.code == .unreachable && greylisted.recovery == .retry)
            #expect(greylisted.message.contains("451 4.7.1"))
            #expect(try server.received.isEmpty)
        }
    }

    @Test
    func `a server that is away is tried again`() async throws {
        let port = Int(try FreePort.take())
        let server = Server(folder: "/nowhere", port: port)
        let error = await Fixtures.failure(of: try server.notifier(.none, host: "127.0.0.1"), Self.message)
        #expect(error?.code == .unreachable && error?.recovery == .retry)
    }

    @Test
    func `nothing that others wrote begins a header field or ends the message`() async throws {
        let evil = "x\r\nBcc: all@example.com\r\n\r\n.\r\nMAIL FROM:<a@b>\r\n.."
        try await Self.running("none") { server in
            let notice = Fixtures.notice(of: "a\r\nBcc: b@c", message: evil, subject: evil, by: evil)
            _ = try await server.notifier(.none).send(NoticeMessage(notices: [notice]))
            let mails = try server.received
            #expect(mails.count == 1)
            let mail = try #require(mails.first)
            #expect(mail.to == ["oncall@example.com", "ml@example.com"])
            let names = Set(mail.names.map { $0.lowercased() })
            #expect(names.isDisjoint(with: ["bcc", "cc", "reply-to"]), "\(mail.text)")
            #expect(mail.body.contains("Bcc: all@example.com . MAIL FROM:<a@b> .."))
        }
    }

    @Test
    func `subjects are RFC 2047's words, of which none is too long`() {
        for text in ["plain", String(repeating: "ä", count: 200), "=?utf-8?B?eA==?= fake", "a\nb", "🙂🙂🙂"] {
            let encoded = MailText.encoded(text)
            #expect(encoded.utf8.allSatisfy { $0 < 0x7F })
            for line in encoded.split(separator: "\r\n") { #expect(line.utf8.count <= 76) }
            #expect(!encoded.replacing("\r\n ", with: "").contains("\n"))
        }
        #expect(MailText.encoded("plain") == "plain")
        #expect(MailText.encoded("ä") == "=?utf-8?B?w6Q=?=")
        #expect(MailText.encoded("=?x") != "=?x")
    }

    @Test(arguments: ["a@b\r\nRCPT TO:<x@y>", "a@b>", "<a@b>", "a b@c", "a", "@b", "a@", "ä@b", "a@b@c", "a,b@c"])
    func `an address that could be more than one is none`(text: String) {
        #expect(!MailRequest.isAddress(text))
    }
}
