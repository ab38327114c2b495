/// The address of a repository, checked so far that git cannot take it for an option, a command or a helper.
struct RemoteURL: Hashable, Sendable {
    enum Transport: String, Sendable { case file, git, http, https, ssh }

    /// Why an address is not accepted, and what to write.
    struct Refusal: Error {
        var reason: String
    }

    /// As handed to git. It holds no password, so it may be shown.
    let text: String
    let transport: Transport
    /// Empty for files.
    let host: String

    init(_ text: String) throws(Refusal) {
        guard (1...2048).contains(text.utf8.count) else {
            throw Refusal(reason: "the url is empty or longer than 2048 bytes")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }), !text.hasPrefix("-"), !text.contains("::") else {
            throw Refusal(reason: "the url holds spaces or control characters, begins with '-' or holds '::'")
        }
        self.text = text
        if text.hasPrefix("/") {
            self.transport = .file
            self.host = ""
        } else if let separator = text.firstRange(of: "://") {
            let scheme = text[..<separator.lowerBound].lowercased()
            guard let transport = Transport(rawValue: scheme) else {
                throw Refusal(reason: "git over '\(scheme)' is not supported: use https, ssh or file")
            }
            let authority = text[separator.upperBound...].prefix { $0 != "/" }
            self.transport = transport
            self.host = try Self.host(of: authority)
            if transport == .file, !authority.isEmpty {
                throw Refusal(reason: "a file url has three slashes: file:///srv/git/models.git")
            }
        } else if let colon = text.firstIndex(of: ":"), !text[..<colon].contains("/") {
            self.transport = .ssh
            self.host = try Self.host(of: text[..<colon])
        } else {
            throw Refusal(reason: "the url is neither https://…, ssh://…, user@host:path, file:///… nor /…")
        }
        if self.transport != .file, self.host.isEmpty {
            throw Refusal(reason: "the url names no host")
        }
        if self.transport == .git, !self.isLoopback {
            throw Refusal(
                reason: "git:// shows neither who the server is nor that nobody changed what it sends, so it is for "
                    + "servers on this machine only: use https or ssh"
            )
        }
    }

    private static func host(of authority: Substring) throws(Refusal) -> String {
        var host = authority
        if let at = authority.lastIndex(of: "@") {
            guard !authority[..<at].contains(":") else {
                throw Refusal(
                    reason: "the url holds a password, which would show in logs: put it into a file and name the "
                        + "file under credentials"
                )
            }
            host = authority[authority.index(after: at)...]
        }
        if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
            return String(host[host.index(after: host.startIndex)..<end])
        }
        guard !host.hasPrefix("-") else { throw Refusal(reason: "the host of the url begins with '-'") }
        return String(host.prefix { $0 != ":" })
    }

    /// Nothing between here and the server can listen.
    var isLoopback: Bool {
        // A name that begins like an address may be anybody's.
        let isAddress = self.host.allSatisfy { $0 == "." || $0.isASCII && $0.isNumber }
        return self.host == "localhost" || self.host == "::1" || self.host.hasPrefix("127.") && isAddress
    }
}
