import Deployments
import Foundation
import Reconciliation

/// A mail as it goes over the wire (RFC 5322): what others wrote cannot begin a header field, nor end the message.
struct MailText {
    let bytes: [UInt8]

    init(_ message: NoticeMessage, from sender: String, to recipients: [String], at time: Timestamp) {
        let text = NoticeText(message)
        let id = message.notices.first.map { CloudEvent.id(of: $0) } ?? "msg"
        let host = sender.split(separator: "@").last ?? "localhost"
        let subject = "[\(text.severity.rawValue)] \(text.title)"
        var lines = [
            "From: controller <\(sender)>",
            "To: \(recipients.map { "<\($0)>" }.joined(separator: ",\r\n "))",
            "Subject: \(Self.encoded(subject))",
            "Date: \(Self.date(time))",
            // The same when it is sent again, so that whoever keeps mails keeps one.
            "Message-ID: <\(id).\(message.notices.count)@\(host)>",
            // Out-of-office answers go to nobody (RFC 3834).
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
            "",
        ]
        let body = Self.body(text, message)
        let encoded = Array(Data(body.utf8).base64EncodedString().utf8)
        for start in stride(from: 0, to: encoded.count, by: 76) {
            lines.append(String(decoding: encoded[start..<min(start + 76, encoded.count)], as: UTF8.self))
        }
        self.bytes = Array((lines.joined(separator: "\r\n") + "\r\n").utf8)
    }

    private static func body(_ text: NoticeText, _ message: NoticeMessage) -> String {
        var body = "\(text.title)\n\n"
        for line in text.lines {
            body += "- \(line.what)\n" + (line.why.isEmpty ? "" : "  \(line.why)\n")
        }
        for line in text.rest { body += "- \(line)\n" }
        if let notice = message.notices.last, Set(message.notices.map(\.deployment)).count == 1 {
            if let commit = notice.commit { body += "\ncommit    \(NoticeText.line(commit.commit, limit: 80))\n" }
            body += "\ncontroller status \(NoticeText.line(notice.deployment, limit: 200))\n"
        }
        return body
    }

    /// Encoded words (RFC 2047), unless the text is printable ASCII that is short and is none of them.
    static func encoded(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?")
        if isPlain, text.utf8.count <= 66 { return text }
        // 45 bytes make 60 characters, and a word 72 of the 75 that it may have. A character is not divided.
        var words: [String] = []
        var part = ""
        for character in NoticeText.line(text, limit: 300).unicodeScalars {
            if part.utf8.count + UTF8.width(character) > 45 {
                words.append(part)
                part = ""
            }
            part.unicodeScalars.append(character)
        }
        words.append(part)
        return words.map { "=?utf-8?B?\(Data($0.utf8).base64EncodedString())?=" }.joined(separator: "\r\n ")
    }

    /// `Tue, 01 Dec 2026 19:20:00 +0000`
    static func date(_ time: Timestamp) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss Z"
        return format.string(from: Date(timeIntervalSince1970: Double(time.milliseconds) / 1000))
    }
}
