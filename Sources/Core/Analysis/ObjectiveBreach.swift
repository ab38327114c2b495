/// An objective that is being broken, and by how much.
package struct ObjectiveBreach: Hashable, Codable, Sendable {
    /// The objective's name.
    package var objective: String
    package var text: String

    package init(objective: String, text: String) {
        self.objective = objective
        self.text = text
    }
}
