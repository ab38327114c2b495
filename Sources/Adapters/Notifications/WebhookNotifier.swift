import Crypto
import Deployments
import Foundation
import Reconciliation
import Transport

/// Posts each event by itself, as a CloudEvent, signed as Standard Webhooks has it.
///
/// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
struct WebhookNotifier: Notifier {
    let connection: ReceiverConnection
    let signing: ReceiverConfiguration.Signing
    let now: NotificationClock

    var name: String { self.connection.name }
    var wantsGroups: Bool { false }

    func send(_ message: NoticeMessage) async throws(NotificationError) -> String {
        var answer = ""
        var leftOut = message.leftOut
        for notice in message.notices {
            answer = try await self.send(notice, leftOut: leftOut)
            leftOut = 0
        }
        return answer
    }

    private func send(_ notice: Notice, leftOut: Int) async throws(NotificationError) -> String {
        let event = CloudEvent(notice, source: self.connection.configuration.source, leftOut: leftOut)
        let body: [UInt8]
        do {
            body = try event.encoded()
        } catch {
            throw self.connection.failure(.refused, "the event cannot be written as JSON")
        }
        // When it is sent, not when it happened: receivers drop what is old, so that nobody plays it again.
        let time = self.now().milliseconds / 1000
        var headers = try self.connection.bearer(self.signing.tokenFile)
        headers.append(HTTPHeaders.Field(name: "webhook-id", value: event.id))
        headers.append(HTTPHeaders.Field(name: "webhook-timestamp", value: "\(time)"))
        if let file = self.signing.secretFile {
            let secret = try self.connection.secret(in: file)
            guard let key = Self.key(secret) else {
                throw self.connection.failure(
                    .notConfigured,
                    "the first line of \(file) is no `whsec_` and 24 to 64 bytes in base64: "
                        + "write `whsec_$(openssl rand -base64 32)` there"
                )
            }
            let signature = Self.signature(of: body, id: event.id, at: time, by: key)
            headers.append(HTTPHeaders.Field(name: "webhook-signature", value: signature))
        }
        return try await self.connection.post(
            body,
            as: "application/cloudevents+json; charset=utf-8",
            headers: headers,
            hiding: headers.filter { $0.name == "Authorization" }.map { String($0.value.dropFirst(7)) }
        )
    }

    /// - Returns: Nothing when it is none.
    static func key(_ secret: String) -> SymmetricKey? {
        guard secret.hasPrefix("whsec_"), let bytes = Data(base64Encoded: String(secret.dropFirst(6))),
            (24...64).contains(bytes.count)
        else { return nil }
        return SymmetricKey(data: bytes)
    }

    static func signature(of body: [UInt8], id: String, at seconds: Int64, by key: SymmetricKey) -> String {
        let signed = Array("\(id).\(seconds).".utf8) + body
        let code = HMAC<SHA256>.authenticationCode(for: signed, using: key)
        return "v1,\(Data(code).base64EncodedString())"
    }
}
