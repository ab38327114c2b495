package import Foundation

/// The configuration that the controller runs with, and what became of newer ones.
package struct ConfigurationStatus: Codable, Hashable, Sendable {
    package var file: String
    /// When the one in effect was taken.
    package var since: Date
    /// Why the file is not in effect as it is now, each with its place and what to change; empty when it is.
    package var problems: [String]

    package init(file: String, since: Date, problems: [String] = []) {
        self.file = file
        self.since = since
        self.problems = problems
    }
}
