import ControllerAPI
import Crypto
package import Foundation
import Glibc

/// Who has logged in on the page: a cookie that says who and until when, signed with a key that only the controller
/// has, so that nobody is logged out by a restart.
///
/// It names a token by its id, and counts only as long as that token does. Logging in needs the token itself.
package struct SessionCookie: Sendable {
    private let key: SymmetricKey

    /// The prefix has browsers keep it for this host alone, over TLS (RFC 6265bis).
    static let name = "__Host-controller"
    static let longest: TimeInterval = 12 * 3600
    /// What browsers keep has 4 KiB, with its name and attributes.
    static let limit = 3800

    /// Who a session is: a token by its id, or a person with their groups.
    struct Session: Codable, Hashable {
        var caller: Caller
        var grants: [Grant]
        var expires: Date
    }

    package init(key: Data) {
        self.key = SymmetricKey(data: key)
    }

    /// With a key that ends with the process.
    static func ofThisProcess() -> SessionCookie {
        SessionCookie(key: SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) })
    }

    /// The key in a file, which is made when there is none.
    ///
    /// - Throws: A `ControllerServerError` when the file can be neither read nor made.
    package static func keyFile(_ path: String) throws(ControllerServerError) -> SessionCookie {
        if let key = FileManager.default.contents(atPath: path), key.count == 32 { return SessionCookie(key: key) }
        let key = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else {
            throw ControllerServerError(
                code: .badSecret,
                message: "the key for sessions cannot be kept in \(path)",
                errno
            )
        }
        do {
            let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            try file.write(contentsOf: key)
            try file.close()
        } catch {
            throw ControllerServerError(code: .badSecret, message: "the key for sessions cannot be kept in \(path)")
        }
        return SessionCookie(key: key)
    }

    /// The value of a cookie for somebody who has shown a credential.
    ///
    /// - Throws: A `Problem` when it is more than a browser keeps.
    package func value(for access: Access, at now: Date) throws -> String {
        let end = min(access.expires ?? .distantFuture, now.addingTimeInterval(Self.longest))
        // A token's grants are those that it has when they are asked for; and a cookie has little room.
        let grants = access.caller.way == .token ? [] : access.grants
        let session = Session(caller: access.caller, grants: grants, expires: end)
        let text = Self.base64(try APICoding.encoder().encode(session))
        let value = "\(text).\(self.signature(of: text, for: "session"))"
        guard value.utf8.count <= Self.limit else {
            throw Problem(
                status: 403,
                title: "Too many grants",
                detail: "what you may do does not fit into a browser's cookie: use a token of `controller token create`"
            )
        }
        return value
    }

    /// - Returns: Nothing for what this controller has not signed, or has ended.
    func session(in value: String, at now: Date) -> Session? {
        let parts = value.split(separator: ".", omittingEmptySubsequences: false)
        guard value.utf8.count <= Self.limit, parts.count == 2,
            self.isValid(String(parts[1]), of: String(parts[0]), for: "session"),
            let data = Self.data(base64: parts[0]),
            let session = try? APICoding.decoder().decode(Session.self, from: data), session.expires > now
        else { return nil }
        return session
    }

    /// What a form must send with it, so that no other site can have made it.
    package func formToken(for value: String) -> String { self.signature(of: value, for: "form") }

    func isValid(formToken: String, for value: String) -> Bool {
        self.isValid(formToken, of: value, for: "form")
    }

    private func signature(of text: String, for use: String) -> String {
        Self.base64(Data(HMAC<SHA256>.authenticationCode(for: Data("\(use) \(text)".utf8), using: self.key)))
    }

    private func isValid(_ signature: String, of text: String, for use: String) -> Bool {
        guard let code = Self.data(base64: signature[...]) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(
            code,
            authenticating: Data("\(use) \(text)".utf8),
            using: self.key
        )
    }

    /// For URLs, without padding.
    private static func base64(_ data: Data) -> String {
        data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func data(base64 text: Substring) -> Data? {
        var text = text.replacing("-", with: "+").replacing("_", with: "/")
        text += String(repeating: "=", count: (4 - text.count % 4) % 4)
        return Data(base64Encoded: String(text))
    }
}
