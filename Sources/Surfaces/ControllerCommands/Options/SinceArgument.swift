import ArgumentParser
import ControllerAPI
import Deployments
package import Foundation

/// From when on: a time as the history prints it, or a span until now.
package struct SinceArgument: ExpressibleByArgument, Hashable, Sendable {
    private enum Form: Hashable, Sendable {
        case time(Date)
        case span(Duration)
    }

    private let form: Form

    package init?(argument: String) {
        if let time = APICoding.date(of: argument) {
            self.form = .time(time)
        } else if let span = DurationArgument(argument: argument) {
            self.form = .span(span.duration)
        } else {
            return nil
        }
    }

    package func date(at now: Date) -> Date {
        switch self.form {
        case .time(let date): date
        case .span(let duration): now.addingTimeInterval(-duration.inSeconds)
        }
    }
}
