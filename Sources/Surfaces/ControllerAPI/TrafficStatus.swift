/// What a stable revision counted lately, while nothing else had traffic.
package struct TrafficStatus: Codable, Hashable, Sendable {
    package var deployment: String
    package var revision: String
    /// How long each piece is.
    package var pieceSeconds: Double
    /// Answers 5xx, resets and timeouts; oldest first, half an hour at the most.
    package var errors: [Piece]
    /// Answers 4xx; likewise.
    package var clientErrors: [Piece]
    /// Nothing while there is no bound above which an answer is slow.
    package var latency: Latency?

    /// Answers that a latency gate calls slow.
    package struct Latency: Codable, Hashable, Sendable {
        /// Slow is what takes longer.
        package var boundMilliseconds: Double
        package var pieces: [Piece]

        package init(boundMilliseconds: Double, pieces: [Piece]) {
            self.boundMilliseconds = boundMilliseconds
            self.pieces = pieces
        }
    }

    package struct Piece: Codable, Hashable, Sendable {
        package var requests: Int64
        package var bad: Int64

        package init(requests: Int64, bad: Int64) {
            self.requests = requests
            self.bad = bad
        }
    }

    package init(
        deployment: String,
        revision: String,
        pieceSeconds: Double,
        errors: [Piece],
        clientErrors: [Piece] = [],
        latency: Latency? = nil
    ) {
        self.deployment = deployment
        self.revision = revision
        self.pieceSeconds = pieceSeconds
        self.errors = errors
        self.clientErrors = clientErrors
        self.latency = latency
    }
}
