import Crypto
import Foundation

/// Shows that a form came from a page that this server made for the same caller. Others cannot read our pages, so they
/// cannot know it. Ends with the process.
struct FormToken: Sendable {
    private let key = SymmetricKey(size: .bits256)

    func make(for caller: String) -> String {
        Data(HMAC<SHA256>.authenticationCode(for: Data(caller.utf8), using: self.key)).base64EncodedString()
    }

    /// In constant time.
    func isValid(_ token: String, for caller: String) -> Bool {
        guard token.utf8.count <= 64, let code = Data(base64Encoded: token) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: Data(caller.utf8), using: self.key)
    }
}
