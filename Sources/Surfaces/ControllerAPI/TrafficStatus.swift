/// What a stable revision counted lately, while nothing else had traffic.
package struct TrafficStatus: Codable, Hashable, Sendable {
    package var deployment: String
    package var revision: String
    /// How long each piece is.
    package var pieceSeconds: Double
    /// Answers 5xx, resets and timeouts; oldest first, half an hour at the most.
    package var errors: [Piece]

    package struct Piece: Codable, Hashable, Sendable {
        package var requests: Int64
        package var bad: Int64

        package init(requests: Int64, bad: Int64) {
            self.requests = requests
            self.bad = bad
        }
    }

    package init(deployment: String, revision: String, pieceSeconds: Double, errors: [Piece]) {
        self.deployment = deployment
        self.revision = revision
        self.pieceSeconds = pieceSeconds
        self.errors = errors
    }
}
