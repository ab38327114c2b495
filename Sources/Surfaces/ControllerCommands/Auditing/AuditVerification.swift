import ControllerAPI
package import Foundation

/// What a walk along the audit's whole chain found.
package struct AuditVerification: Codable, Hashable, Sendable {
    package var entries: Int
    package var oldest: Date?
    package var newest: Date?
    /// The last entry that is whole, as `41:9f86d0…`.
    package var head: String
    /// What is not kept any more ends here.
    package var front: String?
    /// The first entry that is broken, and how.
    package var broken: Int64?
    package var kind: String?
    package var problem: String?

    /// Walks part by part, so that neither side holds more than one.
    static func run(_ reading: AuditReading, expecting expected: String?) async throws -> AuditVerification {
        var sum = AuditVerification(entries: 0, head: "")
        var place: String?
        while true {
            let part = try await reading.check(place, expected)
            sum.entries += part.count
            sum.oldest = sum.oldest ?? part.oldest
            sum.newest = part.newest ?? sum.newest
            (sum.head, sum.front) = (part.head, part.front)
            place = part.head
            if let finding = part.finding {
                (sum.broken, sum.kind, sum.problem) = (finding.number, finding.kind, finding.message)
            }
            if part.isComplete { return sum }
        }
    }

    /// `1204 entries from … to …, unbroken, head 1204:9f86d0…`
    var sentence: String {
        guard let oldest = self.oldest, let newest = self.newest else { return "no entries" }
        let times = "from \(APICoding.text(of: oldest)) to \(APICoding.text(of: newest))"
        let front = self.front.map { ", after \($0.prefix { $0 != ":" }) that are not kept any more" } ?? ""
        return "\(self.entries) \(self.entries == 1 ? "entry" : "entries") \(times)\(front), "
            + (self.problem == nil ? "unbroken, head \(self.head)" : "whole up to \(self.head)")
    }
}
