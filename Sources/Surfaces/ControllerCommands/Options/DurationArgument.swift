import ArgumentParser
import Deployments

/// A span of time on the command line, as manifests write them: `45s`, `30m`, `1h30m`.
package struct DurationArgument: ExpressibleByArgument, Hashable, Sendable, CustomStringConvertible {
    package let duration: Duration

    package init(seconds: Int) {
        self.duration = .seconds(seconds)
    }

    package init?(argument: String) {
        guard let match = argument.wholeMatch(of: /(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?/) else { return nil }
        let parts = [match.1, match.2, match.3].map { $0.flatMap { Int($0) } ?? 0 }
        let seconds = parts[0] * 3600 + parts[1] * 60 + parts[2]
        guard seconds > 0 else { return nil }
        self.duration = .seconds(seconds)
    }

    package var description: String { self.duration.short }
}
