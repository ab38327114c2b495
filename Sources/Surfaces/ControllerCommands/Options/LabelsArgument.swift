import ArgumentParser

/// Labels on the command line: `team=search,tier=gold`.
package struct LabelsArgument: ExpressibleByArgument, Hashable, Sendable {
    package let labels: [String: String]

    package init?(argument: String) {
        var labels: [String: String] = [:]
        for part in argument.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty, labels[String(sides[0])] == nil else { return nil }
            labels[String(sides[0])] = String(sides[1])
        }
        self.labels = labels
    }
}
