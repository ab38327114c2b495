import CCurl
import Glibc

/// A message that libcurl sends: what is left of it.
struct MailUpload {
    let mail: MailRequest
    private var sent = 0

    init(_ mail: MailRequest) { self.mail = mail }

    /// - Returns: How many bytes were copied; 0 at the end.
    mutating func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = min(buffer.count, self.mail.message.count - self.sent)
        guard count > 0 else { return 0 }
        buffer.copyBytes(from: self.mail.message[self.sent..<self.sent + count])
        self.sent += count
        return count
    }
}

extension Transfer {
    /// libcurl's options for SMTP; those for all transfers are set already.
    func configure(_ mail: MailRequest) throws(TransportError) {
        guard ([mail.sender] + mail.recipients).allSatisfy(MailRequest.isAddress), !mail.recipients.isEmpty else {
            throw TransportError(
                code: .invalidRequest,
                message: "a mail to \(mail.place) has an address that is none; correct it where it is configured",
                recovery: .needsOperator
            )
        }
        self.set(CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        self.set(CURLOPT_URL, mail.place)
        // One message a connection: what the server thinks of one says nothing of the next.
        self.set(CURLOPT_FRESH_CONNECT, 1)
        self.set(CURLOPT_FORBID_REUSE, 1)
        self.set(CURLOPT_PROXY, "")
        self.set(CURLOPT_USE_SSL, mail.encryption == .none ? CURLUSESSL_NONE.rawValue : CURLUSESSL_ALL.rawValue)
        if let login = mail.login {
            self.set(CURLOPT_USERNAME, login.username)
            self.set(CURLOPT_PASSWORD, login.password)
        }
        self.set(CURLOPT_MAIL_FROM, "<\(mail.sender)>")
        for recipient in mail.recipients { self.append(header: "<\(recipient)>") }
        self.setHeaders(CURLOPT_MAIL_RCPT)
        self.set(CURLOPT_UPLOAD, 1)
        self.set(CURLOPT_READDATA, pointer: UnsafeRawPointer(Unmanaged.passUnretained(self).toOpaque()))
        curl_easy_setopt_function(self.easy, CURLOPT_READFUNCTION, sendMail)
    }

    /// What the server said last, when it said no; libcurl's own code tells less.
    var refusal: HTTPResponse? {
        var code = 0
        curl_easy_getinfo_long(self.easy, CURLINFO_RESPONSE_CODE, &code)
        guard (400..<600).contains(code) else { return nil }
        return HTTPResponse(status: code, body: Array(self.lastLine.utf8))
    }

    private func set(_ option: CURLoption, _ value: UInt32) { self.set(option, Int(value)) }
}

private func sendMail(
    _ data: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let data, let context else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.read(into: UnsafeMutableRawBufferPointer(start: data, count: size * count))
}
