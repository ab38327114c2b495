import Foundation
import JWTKit

/// The claims of a token, whatever they are called; those of kinds that nothing here needs are left out.
struct Claims: JWTPayload {
    private var values: [String: Value]

    enum Value: Codable {
        case text(String)
        case number(Double)
        case list([String])
        case other

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let text = try? container.decode(String.self) {
                self = .text(text)
            } else if let number = try? container.decode(Double.self) {
                self = .number(number)
            } else if let list = try? container.decode([String].self) {
                self = .list(list)
            } else {
                self = .other
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            case .number(let number): try container.encode(number)
            case .list(let list): try container.encode(list)
            case .other: try container.encodeNil()
            }
        }
    }

    init(from decoder: any Decoder) throws {
        self.values = try decoder.singleValueContainer().decode([String: Value].self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.values)
    }

    /// The signature alone: what the claims must say, the provider's rules say.
    func verify(using algorithm: some JWTAlgorithm) async throws {}

    func text(_ name: String) -> String? {
        if case .text(let text) = self.values[name] { text } else { nil }
    }

    func number(_ name: String) -> Double? {
        if case .number(let number) = self.values[name], number.isFinite { number } else { nil }
    }

    /// A single text is a list of one.
    func list(_ name: String) -> [String] {
        switch self.values[name] {
        case .text(let text): [text]
        case .list(let list): list
        default: []
        }
    }
}

extension Data {
    /// Of base64 for URLs, without padding (RFC 4648).
    init?(base64URL text: Substring) {
        var text = text.replacing("-", with: "+").replacing("_", with: "/")
        text += String(repeating: "=", count: (4 - text.count % 4) % 4)
        guard let data = Data(base64Encoded: String(text)) else { return nil }
        self = data
    }
}
