package import Deployments

/// The paths of the API, as the client asks for them. docs/reference/api.md describes each.
package enum APIRoute {
    package static let root = "/api/v1"
    package static let health = "/healthz"

    /// The largest request body that the server reads, in bytes.
    package static let bodyLimit = 64 * 1024
    /// The largest body of a command for many: some thousand names.
    package static let batchLimit = 1 << 20
    /// The largest body with labels: a thousand of the longest.
    package static let feedbackLimit = 256 * 1024
    /// The most bytes of a log in one answer.
    package static let logLimit = 256 * 1024
    package static let historyLimit = 1000
    package static let defaultHistoryLimit = 50
    package static let pageLimit = 1000
    package static let defaultPageLimit = 100

    /// The header by which a command that is sent again is known.
    package static let idempotencyKey = "Idempotency-Key"
    package static let idempotencyKeyLimit = 255

    /// Whether a command may be called so.
    package static func isIdempotencyKey(_ text: String) -> Bool {
        (1...Self.idempotencyKeyLimit).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// Who asks.
    package static let whoami = "\(Self.root)/whoami"
    package static let tokens = "\(Self.root)/tokens"

    package static func token(_ id: String) -> String { "\(Self.tokens)/\(Self.encoded(id))" }

    package static let fleet = "\(Self.root)/fleet"
    package static let deployments = "\(Self.root)/deployments"
    package static let watch = "\(Self.root)/watch"
    package static let document = "\(Self.root)/openapi.json"
    /// What is asked of many deployments at once.
    package static let commands = "\(Self.root)/commands"

    /// What happened to all deployments, or to those of a namespace.
    package static func events(after number: Int64?, in namespace: String?, limit: Int) -> String {
        let filter = namespace.map { "&namespace=\(Self.encoded($0))" } ?? ""
        return "\(Self.root)/events?limit=\(limit)\(number.map { "&after=\($0)" } ?? "")\(filter)"
    }

    /// The next chapter of recorded decisions.
    package static func decisions(after number: Int64, of deployment: DeploymentID?) -> String {
        let filter = deployment.map { "&deployment=\(Self.encoded($0.namespace))/\(Self.encoded($0.name))" } ?? ""
        return "\(Self.root)/decisions?after=\(number)\(filter)"
    }

    package static func deployment(_ id: DeploymentID) -> String {
        "\(Self.root)/deployments/\(Self.encoded(id.namespace))/\(Self.encoded(id.name))"
    }

    package static func history(_ id: DeploymentID, limit: Int) -> String {
        "\(Self.deployment(id))/history?limit=\(limit)"
    }

    package static func traffic(_ id: DeploymentID) -> String {
        "\(Self.deployment(id))/traffic"
    }

    package static func spec(_ id: DeploymentID) -> String {
        "\(Self.deployment(id))/spec"
    }

    package static func logs(_ id: DeploymentID) -> String {
        "\(Self.deployment(id))/logs"
    }

    /// A negative `offset` counts from the end.
    package static func log(_ replica: String, of id: DeploymentID, from offset: Int64) -> String {
        "\(Self.logs(id))/\(Self.encoded(replica))?from=\(offset)"
    }

    package static func commands(_ id: DeploymentID) -> String {
        "\(Self.deployment(id))/commands"
    }

    package static func model(_ id: DeploymentID) -> String {
        "\(Self.deployment(id))/model"
    }

    package static func feedback(_ id: DeploymentID) -> String {
        "\(Self.deployment(id))/feedback"
    }

    /// Where a receiver of notifications is tried.
    package static func test(receiver: String) -> String {
        "\(Self.root)/receivers/\(Self.encoded(receiver))/test"
    }

    /// A path segment: everything but RFC 3986's unreserved characters is percent-encoded.
    static func encoded(_ segment: String) -> String {
        var text = ""
        for byte in segment.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return text
    }
}
