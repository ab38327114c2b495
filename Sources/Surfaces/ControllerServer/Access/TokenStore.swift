package import ControllerAPI
import Crypto
package import Foundation
import Glibc
import Synchronization

/// The tokens that `controller token create` made, in one file that only the controller may read.
///
/// Of a token's secret only its SHA-256 is kept: 256 random bits cannot be guessed, so a slow hash would only make each
/// request slow.
package final class TokenStore: Sendable {
    /// What begins every token, so that scanners for leaked secrets can know it.
    package static let prefix = "ctl_"
    package static let limit = 1000

    private let path: String
    private let now: @Sendable () -> Date
    private let state: Mutex<State>

    private struct State {
        var tokens: [String: Entry]
        var lastUsed: [String: Date] = [:]
    }

    private struct Entry: Codable {
        var status: TokenStatus
        /// SHA-256 of the secret, 64 hexadecimal digits.
        var hash: String
    }

    /// The file is made with the first token.
    ///
    /// - Throws: A `ControllerServerError` when it holds something else than tokens.
    package init(path: String, now: @escaping @Sendable () -> Date) throws(ControllerServerError) {
        self.path = path
        self.now = now
        self.state = Mutex(State(tokens: try Self.read(path)))
    }

    private static func read(_ path: String) throws(ControllerServerError) -> [String: Entry] {
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        do {
            let data = try Data(contentsOf: URL(filePath: path))
            let entries = try APICoding.decoder().decode([Entry].self, from: data)
            return Dictionary(entries.map { ($0.status.id, $0) }, uniquingKeysWith: { first, _ in first })
        } catch {
            throw ControllerServerError(
                code: .badTokens,
                message: "the tokens in \(path) cannot be read: restore a backup of it, or remove it and make the "
                    + "tokens anew (\(error))"
            )
        }
    }

    /// All that have not ended, by name.
    package var all: [TokenStatus] {
        let now = self.now()
        return self.state.withLock { state in
            state.tokens.values.map { entry in
                var status = entry.status
                status.lastUsed = state.lastUsed[status.id]
                return status
            }
        }.filter { $0.expires > now }.sorted { ($0.name, $0.created) < ($1.name, $1.created) }
    }

    /// - Returns: The token, which nobody will ever be told again.
    /// - Throws: A `ControllerServerError` when it cannot be kept.
    package func create(_ request: TokenRequest, by creator: String) throws(ControllerServerError) -> TokenAnswer {
        let now = self.now()
        var generator = SystemRandomNumberGenerator()
        let id = String((generator.next() as UInt64) >> 24, radix: 16)
        let secret = SymmetricKey(size: .bits256).withUnsafeBytes { Self.hex($0) }
        let status = TokenStatus(
            id: id,
            name: request.name,
            grants: request.grants,
            created: now,
            createdBy: creator,
            expires: now.addingTimeInterval(Double(request.lifetime))
        )
        let entry = Entry(status: status, hash: Self.hex(SHA256.hash(data: Data(secret.utf8))))
        let path = self.path
        try self.state.withLock { state throws(ControllerServerError) in
            var tokens = state.tokens.filter { $0.value.status.expires > now }
            guard tokens.count < Self.limit else {
                throw ControllerServerError(
                    code: .badTokens,
                    message: "there are \(Self.limit) tokens: revoke some (`controller token list`)"
                )
            }
            tokens[id] = entry
            try Self.write(tokens, to: path)
            state.tokens = tokens
        }
        return TokenAnswer(token: "\(Self.prefix)\(id)_\(secret)", status: status)
    }

    /// - Returns: What was revoked; nothing when there is no such token.
    /// - Throws: A `ControllerServerError` when the file cannot be written; the token is of no use any more until the
    ///   controller starts again.
    package func revoke(_ id: String) throws(ControllerServerError) -> TokenStatus? {
        let path = self.path
        return try self.state.withLock { state throws(ControllerServerError) in
            guard let entry = state.tokens.removeValue(forKey: id) else { return nil }
            state.lastUsed[id] = nil
            try Self.write(state.tokens, to: path)
            return entry.status
        }
    }

    /// - Returns: Nothing for what is no token, was revoked or has ended.
    package func access(_ token: String, from address: String?) -> Access? {
        let parts = token.dropFirst(Self.prefix.count).split(separator: "_", omittingEmptySubsequences: false)
        guard token.utf8.count <= 128, token.hasPrefix(Self.prefix), parts.count == 2 else { return nil }
        let hash = Self.hex(SHA256.hash(data: Data(parts[1].utf8)))
        let now = self.now()
        let found = self.state.withLock { state -> TokenStatus? in
            guard let entry = state.tokens[String(parts[0])], ConstantTime.areEqual(entry.hash, hash),
                entry.status.expires > now
            else { return nil }
            state.lastUsed[entry.status.id] = now
            return entry.status
        }
        return found.map { status in
            Access(
                caller: Caller(name: status.name, way: .token, credential: status.id, address: address),
                grants: status.grants,
                expires: status.expires
            )
        }
    }

    /// - Returns: Nothing when there is no such token any more.
    func status(_ id: String) -> TokenStatus? {
        let now = self.now()
        return self.state.withLock { $0.tokens[id]?.status }.flatMap { $0.expires > now ? $0 : nil }
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Wholly or not at all.
    private static func write(_ tokens: [String: Entry], to path: String) throws(ControllerServerError) {
        let temporary = path + ".new"
        do {
            let entries = tokens.values.sorted { $0.status.id < $1.status.id }
            let data = try APICoding.encoder().encode(entries)
            unlink(temporary)
            let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw CocoaError(.fileWriteUnknown) }
            let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            try file.write(contentsOf: data)
            try file.synchronize()
            try file.close()
            guard rename(temporary, path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        } catch {
            unlink(temporary)
            throw ControllerServerError(
                code: .badTokens,
                message: "the tokens cannot be written to \(path): make room, or make the folder writable for the "
                    + "controller's user"
            )
        }
    }
}
