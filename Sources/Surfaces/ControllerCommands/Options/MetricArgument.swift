import ArgumentParser

/// What a metric provider is assumed to answer for a gate: `prediction-drift=0.4`.
package struct MetricArgument: ExpressibleByArgument, Hashable, Sendable {
    package let gate: String
    package let value: Double

    package init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1)
        guard parts.count == 2, let value = Double(parts[1]), value.isFinite else { return nil }
        self.gate = String(parts[0])
        self.value = value
    }
}
