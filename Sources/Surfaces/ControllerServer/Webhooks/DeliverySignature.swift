import Crypto
import Foundation
import Hummingbird

/// Whether a delivery is from who knows the secret. The body is hashed as it comes in, and neither kept nor parsed.
struct DeliverySignature {
    /// Whether it claims to be signed at all.
    let isSigned: Bool
    private var codes: [HMAC<SHA256>]
    /// One of them must be what a code comes out as.
    private let claims: [[UInt8]]
    /// For GitLab's token, which is compared and signs nothing.
    private let isTokenRight: Bool

    init(kind: Webhook.Kind, fields: HTTPFields, secrets: [WebhookSecret]) {
        let shared = secrets.filter { $0.use == .shared }
        switch kind {
        case .github:
            self.init(Self.claim("x-hub-signature-256", after: "sha256=", in: fields), keys: secrets)
        case .gitea:
            let claim =
                Self.claim("x-forgejo-signature", in: fields) ?? Self.claim("x-gitea-signature", in: fields)
                ?? Self.claim("x-hub-signature-256", after: "sha256=", in: fields)
            self.init(claim, keys: secrets)
        case .bitbucket:
            self.init(Self.claim("x-hub-signature", after: "sha256=", in: fields), keys: secrets)
        case .generic:
            self.init(Self.claim("x-signature-256", after: "sha256=", in: fields), keys: secrets)
        case .gitlab where shared.count < secrets.count && Self.value("webhook-signature", in: fields) != nil:
            self.init(standard: fields, keys: secrets.filter { $0.use == .signing })
        case .gitlab:
            // A signing token is never sent: one that comes as it is was read somewhere.
            self.init(token: Self.value("x-gitlab-token", in: fields), secrets: shared)
        }
    }

    /// By the body alone.
    private init(_ claim: [UInt8]?, keys: [WebhookSecret]) {
        self.isSigned = claim != nil
        self.claims = [claim ?? []]
        self.codes = keys.map { HMAC<SHA256>(key: $0.key) }
        self.isTokenRight = false
    }

    /// As standardwebhooks.com describes it: by the delivery's id, its time and the body. How old it is does not
    /// matter, as a delivery that comes again changes nothing.
    private init(standard fields: HTTPFields, keys: [WebhookSecret]) {
        let claims = (Self.value("webhook-signature", in: fields) ?? "").split(separator: " ").prefix(8)
        let (id, time) = (Self.value("webhook-id", in: fields), Self.value("webhook-timestamp", in: fields))
        self.isSigned = id != nil && time != nil
        self.claims = claims.filter { $0.hasPrefix("v1,") }.compactMap { claim in
            Data(base64Encoded: String(claim.dropFirst(3))).map { Array($0) }
        }
        self.codes = keys.map { key in
            var code = HMAC<SHA256>(key: key.key)
            code.update(data: Array("\(id ?? "").\(time ?? "").".utf8))
            return code
        }
        self.isTokenRight = false
    }

    /// Hashed before they are compared, so that the time tells neither a length nor a beginning that they share.
    private init(token: String?, secrets: [WebhookSecret]) {
        let claim = SHA256.hash(data: Array((token ?? "").utf8))
        var isRight = false
        for secret in secrets {
            let isSame = secret.key.withUnsafeBytes { SHA256.hash(data: $0) } == claim
            isRight = isRight || isSame
        }
        self.isTokenRight = isRight
        self.isSigned = token != nil
        self.claims = []
        // Of use to nobody: a delivery takes as long as one of another kind.
        self.codes = [HMAC<SHA256>(key: WebhookSecret.ofNobody().key)]
    }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        for index in self.codes.indices { self.codes[index].update(data: bytes) }
    }

    /// After the whole body. Each comparison takes as long as the others.
    var isAuthentic: Bool {
        var isRight = self.isTokenRight
        for code in self.codes.map({ $0.finalize() }) {
            for claim in self.claims {
                let isSame = code == claim
                isRight = isRight || isSame
            }
        }
        return isRight
    }

    // MARK: - Header fields

    private static func value(_ name: String, in fields: HTTPFields) -> String? {
        fields.first { $0.name.canonicalName == name }?.value
    }

    /// - Returns: Nothing without such a field, and nobody's code when its value is none.
    private static func claim(_ name: String, after prefix: String = "", in fields: HTTPFields) -> [UInt8]? {
        Self.value(name, in: fields).map { value in
            value.hasPrefix(prefix) ? Self.bytes(ofHex: value.dropFirst(prefix.count)) : []
        }
    }

    private static func bytes(ofHex text: Substring) -> [UInt8] {
        let digits = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard digits.count == text.utf8.count, digits.count == 2 * SHA256.byteCount else { return [] }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
