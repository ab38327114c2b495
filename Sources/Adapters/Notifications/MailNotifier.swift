import Deployments
import Foundation
import Reconciliation
import Transport

/// Sends an incident as a mail of plain text.
struct MailNotifier: Notifier {
    let configuration: ReceiverConfiguration
    let server: ReceiverConfiguration.MailServer
    private let client: HTTPClient
    private let now: NotificationClock

    init(
        _ configuration: ReceiverConfiguration,
        server: ReceiverConfiguration.MailServer,
        client: HTTPClient,
        now: @escaping NotificationClock
    ) {
        self.configuration = configuration
        self.server = server
        self.client = client
        self.now = now
    }

    var name: String { self.configuration.name }
    var wantsGroups: Bool { true }

    func send(_ message: NoticeMessage) async throws(NotificationError) -> String {
        var login: MailRequest.Login?
        if let username = self.server.username, let file = self.server.passwordFile {
            do throws(TokenFile.Missing) {
                login = MailRequest.Login(username: username, password: try TokenFile.read(file))
            } catch {
                throw self.failure(.notConfigured, error.text)
            }
        }
        let mail = MailRequest(
            host: self.server.host,
            port: self.server.port,
            encryption: self.server.encryption,
            login: login,
            caFile: self.configuration.caFile,
            sender: self.server.from,
            recipients: self.server.to,
            message: MailText(message, from: self.server.from, to: self.server.to, at: self.now()).bytes,
            timeout: self.configuration.timeout
        )
        let reply: MailRequest.Reply
        do throws(TransportError) {
            reply = try await self.client.send(mail)
        } catch {
            switch error.code {
            case .timedOut: throw self.failure(.timedOut, error.message, .retry)
            case .invalidRequest, .tls: throw self.failure(.notConfigured, error.message)
            case .unreachable, .interrupted, .cancelled, .protocolError, .tooLarge, .storage, .storageFull:
                throw self.failure(.unreachable, error.message, .retry)
            }
        }
        let said = NoticeText.line(reply.text, limit: 200)
        switch reply.code {
        case 200..<300: return said
        case 530, 534, 535:
            // The password is as likely to be mended as the message is to be well.
            let advice = "correct `username` and `passwordFile`"
            throw self.failure(.notConfigured, "\(self.place) does not take the login; \(advice). It said \(said)")
        case 500..<600: throw self.failure(.refused, "\(self.place) refuses. It said \(said)")
        default: throw self.failure(.unreachable, "\(self.place) does not take it now. It said \(said)", .retry)
        }
    }

    private var place: String { "\(self.server.host):\(self.server.port)" }

    private func failure(
        _ code: NotificationError.Code,
        _ text: String,
        _ recovery: Recovery = .needsOperator
    ) -> NotificationError {
        NotificationError(code: code, message: "the receiver \"\(self.name)\": \(text)", recovery: recovery)
    }
}
