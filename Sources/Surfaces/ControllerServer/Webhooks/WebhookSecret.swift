import Crypto
import Foundation

/// What a server and this controller both know, and nobody else.
struct WebhookSecret: Sendable {
    enum Use: Hashable, Sendable {
        /// As it was typed on both sides.
        case shared
        /// GitLab's signing token: `whsec_` and the key in base64.
        case signing
    }

    let use: Use
    let key: SymmetricKey

    /// Whoever has one signed delivery can try words against it, as fast as machines are.
    static let shortest = 16
    /// The new one and the one before, while it is rotated.
    static let atMost = 2
    private static let prefix = Array("whsec_".utf8)
    private static let remedy = "write one into it, as `openssl rand -hex 32` makes them, and give the server the same"

    /// - Returns: The secrets in a file, one a line.
    /// - Throws: A `ControllerServerError` that says what to do, without the secret.
    static func read(_ path: String) throws(ControllerServerError) -> [WebhookSecret] {
        let content: Data
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            content = try file.read(upToCount: 4096) ?? Data()
            try file.close()
        } catch {
            throw ControllerServerError(
                code: .badSecret,
                message: "the webhook's secret file \(path) cannot be read: make it exist and readable for this user"
            )
        }
        let lines = content.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        guard !lines.isEmpty, lines.count <= Self.atMost else {
            let what = lines.isEmpty ? "is empty" : "has \(lines.count) lines and may have \(Self.atMost), one a secret"
            throw ControllerServerError(
                code: .badSecret,
                message: "the webhook's secret file \(path) \(what): \(Self.remedy)"
            )
        }
        var secrets: [WebhookSecret] = []
        for line in lines { secrets.append(try WebhookSecret(Array(line), from: path)) }
        return secrets
    }

    /// Nobody signs with it. Where there is no secret, as much is computed as where there is one.
    static func ofNobody() -> WebhookSecret {
        WebhookSecret(use: .shared, key: SymmetricKey(size: .bits256))
    }

    private init(use: Use, key: SymmetricKey) {
        self.use = use
        self.key = key
    }

    private init(_ line: [UInt8], from path: String) throws(ControllerServerError) {
        guard line.starts(with: Self.prefix) else {
            guard line.count >= Self.shortest else {
                throw ControllerServerError(
                    code: .badSecret,
                    message: "a secret in the webhook's secret file \(path) has \(line.count) bytes and needs "
                        + "\(Self.shortest): \(Self.remedy)"
                )
            }
            self.use = .shared
            self.key = SymmetricKey(data: line)
            return
        }
        let key = Data(base64Encoded: Data(line.dropFirst(Self.prefix.count)))
        guard let key, key.count >= Self.shortest else {
            throw ControllerServerError(
                code: .badSecret,
                message: "the signing token in the webhook's secret file \(path) is not `whsec_` and a key in base64: "
                    + "copy it from GitLab once more"
            )
        }
        self.use = .signing
        self.key = SymmetricKey(data: key)
    }
}
