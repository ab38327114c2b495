import ArgumentParser

/// A share of all requests on the command line, in percent: `5%`, `0.1%`.
package struct ShareArgument: ExpressibleByArgument, Hashable, Sendable, CustomStringConvertible {
    /// From 0 to 1.
    package let share: Double

    package init(share: Double) { self.share = share }

    package init?(argument: String) {
        guard let match = argument.wholeMatch(of: /([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%/), let percent = Double(match.1),
            percent <= 100
        else { return nil }
        self.share = percent / 100
    }

    package var description: String {
        let percent = (self.share * 100 * 1e6).rounded() / 1e6
        return (percent == percent.rounded() ? "\(Int(percent))" : "\(percent)") + " %"
    }
}
