import FoundationEssentials
package import Reconciliation
package import Transport

/// Asks a service by HTTP whether a step may pass.
///
/// `POST` with the question as JSON; the answer is `{"outcome": "pass" | "fail" | "wait", "message": "…"}`.
package struct WebhookProvider: VerdictProvider {
    package let name: String
    private let url: String
    private let tokenFile: String?
    private let client: HTTPClient

    /// A verdict has some hundred bytes.
    private static let maxAnswerBytes = 64 << 10

    /// Makes a provider; asks nothing yet.
    ///
    /// - Parameters:
    ///   - name: As manifests refer to it.
    ///   - url: `http` or `https`, without user and password.
    ///   - tokenFile: A file with a bearer token.
    ///   - client: Shared.
    package init(name: String, url: String, tokenFile: String? = nil, client: HTTPClient) {
        self.name = name
        self.url = url
        self.tokenFile = tokenFile
        self.client = client
    }

    package func verdict(on question: VerdictQuestion, timeout: Duration) async -> VerdictAnswer {
        do throws(PrometheusFailure) {
            var request = HTTPRequest(
                method: "POST",
                url: self.url,
                headers: ["Content-Type": "application/json", "Accept": "application/json"],
                body: try Self.body(question),
                timeout: timeout,
                connectTimeout: min(timeout, .seconds(5)),
                maxResponseBytes: Self.maxAnswerBytes
            )
            try request.authorize(by: self.tokenFile)
            let response: HTTPResponse
            do throws(TransportError) {
                response = try await self.client.send(request)
            } catch {
                return .unavailable("\(self.name): \(error.message)")
            }
            return self.answer(response)
        } catch {
            return switch error {
            case .refused(let message): .refused("\(self.name): \(message)")
            case .unavailable(let message): .unavailable("\(self.name): \(message)")
            }
        }
    }

    private static func body(_ question: VerdictQuestion) throws(PrometheusFailure) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(question))
        } catch {
            throw .refused("the question cannot be written as JSON")
        }
    }

    private func answer(_ response: HTTPResponse) -> VerdictAnswer {
        let place = WebAddress.redacted(self.url)
        guard response.isSuccess else {
            let message = "\(self.name): \(place) answered \(response.status)"
            let isRefusal = (300..<500).contains(response.status) && ![408, 425, 429].contains(response.status)
            return isRefusal ? .refused("\(message); check the provider's URL and token") : .unavailable(message)
        }
        // What does not decode is no verdict, whatever the reason.
        let body = try? JSONDecoder().decode(Body.self, from: Data(response.body))
        let message = PrometheusFailure.bounded(body?.message ?? "")
        return switch body?.outcome {
        case "pass": .pass(message)
        case "fail": .fail(message)
        case "wait": .wait(message)
        default: .unavailable("\(self.name): \(place) answered no outcome; it must be pass, fail or wait")
        }
    }

    private struct Body: Decodable {
        var outcome: String
        var message: String?
    }
}
