package import Foundation

/// How the API writes JSON: keys sorted, times in UTC by ISO 8601 with milliseconds, so that equal values are equal
/// bytes and people can read them.
package enum APICoding {
    package static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(Self.text(of: date))
        }
        return encoder
    }

    package static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            guard let date = Self.date(of: text) else {
                throw DecodingError.dataCorrupted(
                    .init(
                        codingPath: decoder.codingPath,
                        debugDescription: "not a time such as 2026-11-23T14:29:06.250Z: \(text)"
                    )
                )
            }
            return date
        }
        return decoder
    }

    /// `2026-11-23T14:29:06.250Z`, rounded to the nearest millisecond.
    package static func text(of date: Date) -> String {
        // Written by hand: Foundation's style with fractional seconds truncates, and .122999… would become .122.
        let milliseconds = (date.timeIntervalSince1970 * 1000).rounded()
        let seconds = (milliseconds / 1000).rounded(.down)
        let whole = Date(timeIntervalSince1970: seconds).formatted(.iso8601).dropLast()
        let fraction = String(Int(milliseconds - seconds * 1000))
        return whole + "." + String(repeating: "0", count: 3 - fraction.count) + fraction + "Z"
    }

    /// Reads what `text(of:)` writes, with or without a fraction of up to nine digits, in UTC (`Z`) only.
    package static func date(of text: String) -> Date? {
        guard text.utf8.count <= 32, let match = text.wholeMatch(of: /([0-9T:-]{19})(?:\.([0-9]{1,9}))?Z/) else {
            return nil
        }
        let seconds: Date
        do {
            seconds = try Date(match.1 + "Z", strategy: .iso8601)
        } catch {
            return nil
        }
        // Foundation takes a minute of 99 for the one of the next hour.
        guard seconds.formatted(.iso8601) == match.1 + "Z" else { return nil }
        let digits = (match.2.map(String.init) ?? "0").padding(toLength: 3, withPad: "0", startingAt: 0)
        // Whole milliseconds first: a sum of fractions would differ from the date that was encoded in its last bit.
        let milliseconds = seconds.timeIntervalSince1970 * 1000 + (Double(digits) ?? 0)
        return Date(timeIntervalSince1970: milliseconds / 1000)
    }
}
