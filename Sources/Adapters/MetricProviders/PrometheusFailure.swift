import Reconciliation
import Transport

/// Why there is no value.
enum PrometheusFailure: Error, Hashable {
    case refused(String)
    case unavailable(String)

    init(_ error: TransportError) {
        switch error.code {
        case .tooLarge:
            self = .refused("the query has too many results; aggregate it with sum(), max() or avg()")
        case .invalidRequest:
            self = .refused("\(error.message) (the provider's URL)")
        default:
            self = .unavailable(error.message)
        }
    }

    func answer(from provider: String) -> MetricAnswer {
        switch self {
        case .refused(let message): .refused("\(provider): \(message)")
        case .unavailable(let message): .unavailable("\(provider): \(message)")
        }
    }

    func rangeAnswer(from provider: String) -> RangeAnswer {
        switch self {
        case .refused(let message): .refused("\(provider): \(message)")
        case .unavailable(let message): .unavailable("\(provider): \(message)")
        }
    }

    /// Text from elsewhere, fit for a log line and a terminal.
    static func bounded(_ text: String, to count: Int = 500) -> String {
        let printable = text.unicodeScalars.lazy.filter { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
        let start = String(String.UnicodeScalarView(printable.prefix(count)))
        return text.unicodeScalars.count > count ? start + "…" : start
    }
}
