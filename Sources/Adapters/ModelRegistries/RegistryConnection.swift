import FoundationEssentials
import Transport

/// Asks one registry's server.
///
/// Redirects of questions are not followed: they could carry the token to another host.
struct RegistryConnection: Sendable {
    let configuration: RegistryConfiguration
    let client: HTTPClient

    /// The longest listings have some megabytes.
    private static let maxAnswerBytes = 16 << 20

    /// Asks, and reads the answer. The names and values of `query` are not escaped yet; `subject` is what is asked for,
    /// in the words of an error; `deadline` is that of a longer work that this is part of; `invalid` says what MLflow's
    /// `INVALID_PARAMETER_VALUE` means for this question.
    func get<Value: Decodable>(
        _ path: String,
        _ query: [(String, String)],
        subject: String,
        deadline: ContinuousClock.Instant? = nil,
        invalid: RegistryError.Code = .badAnswer,
        as type: Value.Type = Value.self
    ) async throws(RegistryError) -> Value {
        let text = query.map { "\($0.0)=\(Self.escaped($0.1))" }.joined(separator: "&")
        var request = try self.request("\(path)?\(text)")
        request.timeout = self.configuration.timeout
        if let deadline { request.timeout = min(request.timeout, max(.milliseconds(1), deadline - .now)) }
        request.connectTimeout = min(request.timeout, request.connectTimeout)
        request.maxResponseBytes = Self.maxAnswerBytes
        let response: HTTPResponse
        do throws(TransportError) {
            response = try await self.client.send(request)
        } catch {
            throw self.error(error)
        }
        guard response.isSuccess else {
            let secret = request.headers["Authorization"]
            throw self.refusal(response, subject: subject, invalid: invalid, hiding: secret)
        }
        do {
            return try JSONDecoder().decode(type, from: Data(response.body))
        } catch {
            let text = "answered something else than MLflow's format about \(subject): check `modelRegistry.url`"
            throw self.error(.badAnswer, text, .retry)
        }
    }

    /// With the registry's credentials, which go to nowhere else.
    func request(_ target: String) throws(RegistryError) -> HTTPRequest {
        var request = HTTPRequest(url: self.configuration.url + target, caFile: self.configuration.caFile)
        request.headers["Accept"] = "*/*"
        request.headers["User-Agent"] = "controller"
        do throws(TokenFile.Missing) {
            switch self.configuration.credentials {
            case .none: break
            case .tokenFile(let file): request.headers["Authorization"] = "Bearer \(try TokenFile.read(file))"
            case .tokenVariable(let name): request.headers["Authorization"] = "Bearer \(try TokenVariable.read(name))"
            case .password(let user, let file):
                let pair = Data("\(user):\(try TokenFile.read(file))".utf8)
                request.headers["Authorization"] = "Basic \(pair.base64EncodedString())"
            }
        } catch {
            throw self.error(.notConfigured, error.text)
        }
        return request
    }

    // MARK: - What goes wrong

    func error(
        _ code: RegistryError.Code,
        _ text: String,
        _ recovery: TransportError.Recovery = .needsOperator
    ) -> RegistryError {
        var place = WebAddress.redacted(self.configuration.url)
        if place.hasSuffix("/") { place.removeLast() }
        return RegistryError(code: code, message: "the model registry \(place): \(text)", recovery: recovery)
    }

    private func error(_ error: TransportError) -> RegistryError {
        let code: RegistryError.Code =
            switch error.code {
            case .timedOut: .timedOut
            case .cancelled: .cancelled
            case .tooLarge: .tooLarge
            case .invalidRequest: .notConfigured
            case .unreachable, .interrupted, .tls, .protocolError, .storage, .storageFull: .unreachable
            }
        return self.error(code, error.message, error.recovery)
    }

    private func refusal(
        _ response: HTTPResponse,
        subject: String,
        invalid: RegistryError.Code,
        hiding secret: String?
    ) -> RegistryError {
        let status = response.status
        let refusal = MLflowAnswer.Refusal(of: response.body)
        let words = Self.line(refusal.message ?? "", hiding: secret)
        let said = "It answered \(status)\(words.isEmpty ? "" : ": \(words)")"
        switch status {
        case 300..<400:
            let place = response.headers["Location"].map { " to \(WebAddress.redacted($0))" } ?? ""
            let advice = "which is not followed, as it could carry the token elsewhere. Correct `modelRegistry.url`"
            return self.error(.notConfigured, "redirects\(place), \(advice). \(said)")
        case 400 where refusal.error_code == "INVALID_PARAMETER_VALUE" && invalid == .aliasMissing:
            return self.error(invalid, "does not know \(subject): set it, or correct its name. \(said)")
        case 401:
            return self.error(.unauthorized, "does not take the credentials: \(self.renewal). \(said)")
        case 403:
            let advice = "does not allow it: give that user the right to read \(subject), and let the server know its "
            return self.error(.unauthorized, "\(advice)own name (`--allowed-hosts`). \(said)")
        case 404 where refusal.error_code != nil:
            return self.error(.notFound, "does not know \(subject): register it, or correct the name. \(said)")
        case 404:
            return self.error(.notConfigured, "is no MLflow server: correct `modelRegistry.url`. \(said)")
        case 408, 425, 429, 500...:
            let pause = response.headers["Retry-After"].flatMap { Int($0) }.map { min(max($0, 1), 600) }
            let recovery = pause.map { TransportError.Recovery.wait(.seconds($0)) } ?? .retry
            return self.error(.unreachable, "is in trouble: look at its log if that lasts. \(said)", recovery)
        default:
            return self.error(.badAnswer, "refuses to tell about \(subject). \(said)")
        }
    }

    private var renewal: String {
        switch self.configuration.credentials {
        case .none: "name them in `modelRegistry`"
        case .tokenFile(let file): "renew the token in \(file)"
        case .tokenVariable(let name): "renew the token in the variable \(name), and restart"
        case .password(let user, let file): "correct the user \(user) or the password in \(file)"
        }
    }

    /// What a server wrote, as part of a line.
    static func line(_ text: String, hiding secret: String? = nil) -> String {
        var text = text
        for part in secret?.split(separator: " ") ?? [] where part != "Bearer" && part != "Basic" {
            text = text.replacing(part, with: "…")
        }
        let plain = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }
        return String(String.UnicodeScalarView(plain.prefix(300)))
    }

    /// For one part of a path, or a value of a query.
    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
