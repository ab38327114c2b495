import ArgumentParser
import ControllerAPI
package import Foundation

/// A time on the command line, as the history prints it: `2026-11-25T02:41:00Z`.
package struct TimeArgument: ExpressibleByArgument, Hashable, Sendable, CustomStringConvertible {
    package let date: Date

    package init?(argument: String) {
        guard let date = APICoding.date(of: argument) else { return nil }
        self.date = date
    }

    package var description: String { APICoding.text(of: self.date) }
}
