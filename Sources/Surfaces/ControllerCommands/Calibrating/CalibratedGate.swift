import ArgumentParser

/// A built-in gate that counts bad answers of all.
package enum CalibratedGate: String, Codable, CaseIterable, ExpressibleByArgument, Sendable {
    case errors
    case clientErrors = "client-errors"
    case latency

    /// What it counts, after `as many`.
    var plural: String {
        switch self {
        case .errors: "errors"
        case .clientErrors: "4xx"
        case .latency: "slow answers"
        }
    }
}
