import FoundationEssentials
import Reconciliation
import Transport

/// Why a forge did not do what it was asked for.
struct ForgeFailure: Error {
    /// Of its answer; nothing when there is none.
    var status: Int?
    var error: SourceError
}

/// The words of a forge's refusal, as each of them puts it.
///
/// GitHub: `{"message": "…", "errors": [{"message": "…"}, {"resource": "…", "field": "…", "code": "…"}, "…"]}`;
/// GitLab: `{"message": "…" | ["…"] | {"field": ["…"]}}` or `{"error": "…", "error_description": "…"}`; Gitea:
/// `{"message": "…", "url": "…"}`.
enum ForgeWords {
    static func of(_ body: [UInt8]) -> String {
        // What is no JSON is a proxy's page, of which the status says enough.
        guard let value = try? JSONDecoder().decode(Tree.self, from: Data(body.prefix(64 << 10))),
            case .object(let members) = value
        else { return "" }
        let parts = ["message", "error", "error_description", "errors"].compactMap { members[$0]?.words }
        return ForgeText.line(parts.filter { !$0.isEmpty }.joined(separator: "; "), limit: 300)
    }

    private indirect enum Tree: Decodable {
        case text(String)
        case list([Tree])
        case object([String: Tree])
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            // One of the kinds that JSON has, tried one after the other.
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let list = try? container.decode([Tree].self) {
                self = .list(list)
            } else if let object = try? container.decode([String: Tree].self) {
                self = .object(object)
            } else {
                self = .other
            }
        }

        var words: String {
            switch self {
            case .text(let text): text
            case .list(let list): list.map(\.words).joined(separator: ", ")
            case .object(let members):
                members["message"]?.words
                    ?? members.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.words)" }.joined(separator: ", ")
            case .other: ""
            }
        }
    }
}
