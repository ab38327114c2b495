import Foundation
import Reconciliation
import Transport

/// Posts to one receiver, and says of each answer whether trying again helps.
///
/// Redirects are not followed: they could carry a secret to another host.
struct ReceiverConnection: Sendable {
    let configuration: ReceiverConfiguration
    private let address: ReceiverConfiguration.Address
    /// After the URL's own.
    private let path: String
    private let client: HTTPClient

    /// Receivers say `ok` or why not; the rest is a page of a proxy.
    private static let maxAnswerBytes = 64 << 10

    init(
        _ configuration: ReceiverConfiguration,
        address: ReceiverConfiguration.Address,
        path: String = "",
        client: HTTPClient
    ) {
        self.configuration = configuration
        self.address = address
        self.path = path
        self.client = client
    }

    var name: String { self.configuration.name }

    /// - Returns: The answer in words: `200 ok`.
    func post(
        _ body: [UInt8],
        as type: String,
        headers: [HTTPHeaders.Field] = [],
        hiding secrets: [String] = []
    ) async throws(NotificationError) -> String {
        let url = try self.url()
        var request = HTTPRequest(
            method: "POST",
            url: url + self.path,
            headers: HTTPHeaders(headers),
            body: body,
            timeout: self.configuration.timeout,
            maxResponseBytes: Self.maxAnswerBytes,
            caFile: self.configuration.caFile
        )
        request.headers["Content-Type"] = type
        request.headers["User-Agent"] = "controller"
        // Whether it is sent again is decided here, where it is counted.
        request.isNeverRepeated = true
        let response: HTTPResponse
        do throws(TransportError) {
            response = try await self.client.send(request)
        } catch {
            let words = self.hidden(error.message, secrets, url)
            switch error.code {
            case .timedOut: throw self.failure(.timedOut, words, .retry)
            case .tooLarge:
                throw self.failure(.refused, "\(words); what answers is no such receiver: check its URL")
            case .invalidRequest, .tls: throw self.failure(.notConfigured, words)
            case .unreachable, .interrupted, .cancelled, .protocolError, .storage, .storageFull:
                throw self.failure(.unreachable, words, .retry)
            }
        }
        let said = self.hidden(NoticeText.line(response.text, limit: 200), secrets, url)
        let answer = said.isEmpty ? "\(response.status)" : "\(response.status) \(said)"
        if response.isSuccess { return answer }
        throw self.refusal(response, answer)
    }

    /// Which answers are worth another try: those that speak of the receiver's state, not of the message.
    private func refusal(_ response: HTTPResponse, _ answer: String) -> NotificationError {
        switch response.status {
        case 408, 425, 429, 500...:
            guard let asked = Self.askedWait(response) else {
                return self.failure(.unreachable, "it answered \(answer)", .retry)
            }
            let seconds = asked.components.seconds
            return self.failure(.unreachable, "it asks to wait \(seconds) s: it answered \(answer)", .wait(asked))
        case 300..<400:
            let advice = "redirects are not followed, as they could carry a secret elsewhere: name the final URL"
            return self.failure(.refused, "it answered \(answer); \(advice)")
        case 401, 403:
            return self.failure(.refused, "it answered \(answer); renew what opens it, and look at its rights")
        case 404, 410:
            return self.failure(.refused, "it answered \(answer); it is not there any more: make it anew")
        default:
            return self.failure(.refused, "it answered \(answer)")
        }
    }

    /// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3).
    private static func askedWait(_ response: HTTPResponse) -> Duration? {
        guard let text = response.headers["Retry-After"] else { return nil }
        if let seconds = Int(text), seconds >= 0 { return .seconds(min(max(seconds, 1), 24 * 3600)) }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        guard let date = format.date(from: text) else { return nil }
        return .seconds(min(max(date.timeIntervalSinceNow.rounded(.up), 1), 24 * 3600))
    }

    // MARK: - Words and secrets

    func failure(
        _ code: NotificationError.Code,
        _ text: String,
        _ recovery: Recovery = .needsOperator
    ) -> NotificationError {
        NotificationError(code: code, message: "the receiver \"\(self.name)\": \(text)", recovery: recovery)
    }

    /// Read anew for each delivery.
    func secret(in file: String) throws(NotificationError) -> String {
        do throws(TokenFile.Missing) {
            return try TokenFile.read(file)
        } catch {
            throw self.failure(.notConfigured, error.text)
        }
    }

    func bearer(_ file: String?) throws(NotificationError) -> [HTTPHeaders.Field] {
        guard let file else { return [] }
        return [HTTPHeaders.Field(name: "Authorization", value: "Bearer \(try self.secret(in: file))")]
    }

    /// Whoever knows the whole URL may post there.
    private var isSecret: Bool {
        if case .slack = self.configuration.kind { return true }
        if case .file = self.address { return true }
        return false
    }

    private func url() throws(NotificationError) -> String {
        switch self.address {
        case .url(let url): return url
        case .file(let file):
            let url = try self.secret(in: file)
            do throws(TransportError) {
                _ = try WebAddress(url)
            } catch {
                throw self.failure(.notConfigured, "the first line of \(file) is no http or https URL: write it there")
            }
            return url
        }
    }

    /// Without what opens the receiver: the path of a URL that is a secret, and secrets that somebody repeats.
    private func hidden(_ text: String, _ secrets: [String], _ url: String) -> String {
        var text = text
        // That it is a URL was checked when it was read.
        if self.isSecret, let address = try? WebAddress(url) {
            let path = address.path.split(separator: "/").map(String.init).filter { $0.count > 3 }
            text = text.replacing(address.redacted, with: "\(address.scheme)://\(address.host)/…")
            for part in path { text = text.replacing(part, with: "…") }
        }
        for secret in secrets where !secret.isEmpty { text = text.replacing(secret, with: "…") }
        return text
    }
}
