import FoundationEssentials
import Reconciliation
import Transport

/// Tells an incoming webhook of Slack, or of what takes the same.
///
/// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: one POST posts one message, which cannot
/// be changed or answered later, as the webhook says no more than `ok`.
struct SlackNotifier: Notifier {
    let connection: ReceiverConnection

    var name: String { self.connection.name }
    var wantsGroups: Bool { true }

    func send(_ message: NoticeMessage) async throws(NotificationError) -> String {
        let body: [UInt8]
        do {
            body = Array(try JSONEncoder().encode(Payload(NoticeText(message))))
        } catch {
            throw self.connection.failure(.refused, "the message cannot be written as JSON")
        }
        return try await self.connection.post(body, as: "application/json")
    }

    struct Payload: Encodable {
        /// What notifications of the system show; the blocks are the message.
        var text: String
        var blocks: [Block]
    }

    struct Block: Encodable {
        var type = "section"
        var text: Text
    }

    struct Text: Encodable {
        var type = "mrkdwn"
        var text: String
        /// Nothing in it becomes a link, a channel or a mention by itself.
        var verbatim = true
    }
}

extension SlackNotifier.Payload {
    init(_ text: NoticeText) {
        let title = "\(SlackNotifier.mark(of: text.severity)) \(SlackNotifier.escaped(text.title))"
        self.text = title
        self.blocks = [SlackNotifier.Block(text: SlackNotifier.Text(text: "*\(SlackNotifier.plain(text.title))*"))]
        self.blocks[0].text.text = "\(SlackNotifier.mark(of: text.severity)) \(self.blocks[0].text.text)"
        for line in text.lines {
            let why = line.why.isEmpty ? "" : "\n\(SlackNotifier.code(line.why))"
            self.blocks.append(
                SlackNotifier.Block(text: SlackNotifier.Text(text: SlackNotifier.plain(line.what) + why))
            )
        }
        if !text.rest.isEmpty {
            let words = text.rest.joined(separator: "; ")
            self.blocks.append(SlackNotifier.Block(text: SlackNotifier.Text(text: SlackNotifier.plain(words))))
        }
    }
}

extension SlackNotifier {
    /// https://docs.slack.dev/messaging/formatting-message-text: these three begin mentions and links.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    /// Without what makes text bold, slanted, struck or code: Slack has no escape for those. A joiner of no width
    /// before each keeps it from being one.
    static func plain(_ text: String) -> String {
        var plain = ""
        for character in Self.escaped(text) {
            if "*_~`".contains(character) { plain += "\u{2060}" }
            plain.append(character)
        }
        return plain
    }

    /// As code, in which Slack reads no markup.
    static func code(_ text: String) -> String {
        "`\(Self.escaped(text).replacing("`", with: "'"))`"
    }

    /// Colours are not the only difference, for those who do not tell them apart.
    static func mark(of severity: Notice.Severity) -> String {
        switch severity {
        case .info: ":information_source:"
        case .warning: ":warning:"
        case .critical: ":rotating_light:"
        }
    }
}
