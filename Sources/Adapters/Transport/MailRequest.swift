/// A message on its way to a mail server, by SMTP.
package struct MailRequest: Hashable, Sendable {
    package enum Encryption: String, Hashable, Sendable, CaseIterable {
        /// Begins readable and must turn to TLS before anything of the message, or a password, is sent.
        case startTLS
        /// TLS from the first byte.
        case implicit
        case none
    }

    package struct Login: Hashable, Sendable {
        package var username: String
        package var password: String

        package init(username: String, password: String) {
            self.username = username
            self.password = password
        }
    }

    package var host: String
    package var port: Int
    package var encryption: Encryption
    package var login: Login?
    /// A PEM file of the authorities to trust, instead of the system's.
    package var caFile: String?
    /// Bare addresses, without names and brackets.
    package var sender: String
    package var recipients: [String]
    /// Header fields and body, with CRLF at the end of each line.
    package var message: [UInt8]
    /// For the whole exchange.
    package var timeout: Duration

    package init(
        host: String,
        port: Int,
        encryption: Encryption,
        login: Login? = nil,
        caFile: String? = nil,
        sender: String,
        recipients: [String],
        message: [UInt8],
        timeout: Duration = .seconds(30)
    ) {
        self.host = host
        self.port = port
        self.encryption = encryption
        self.login = login
        self.caFile = caFile
        self.sender = sender
        self.recipients = recipients
        self.message = message
        self.timeout = timeout
    }

    /// `smtp://mail.example:587`
    package var place: String {
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        return "\(self.encryption == .implicit ? "smtps" : "smtp")://\(host):\(self.port)"
    }

    /// What the server said last.
    package struct Reply: Hashable, Sendable {
        /// 250 when it took the message, 4xx when it may take it later, 5xx when it never will.
        package var code: Int
        package var text: String
    }

    /// Printable ASCII without what ends an address or a line.
    package static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"<>,;:\\\"()[]".utf8.contains($0) }
    }
}

extension HTTPClient {
    /// Hands a message to a mail server, on a connection of its own.
    ///
    /// - Returns: The server's last reply, also when it refused; then nothing was sent.
    /// - Throws: A `TransportError` when there was no reply to go by.
    package func send(_ mail: MailRequest) async throws(TransportError) -> MailRequest.Reply {
        let response = try await self.exchange(mail)
        return MailRequest.Reply(code: response.status, text: response.text)
    }
}
