import Reconciliation

extension GitRepository {
    /// Two who write at once get in each other's way once or twice, not eight times.
    static let attempts = 8

    enum PushOutcome {
        case done
        /// Somebody else wrote meanwhile.
        case overtaken
        /// The server's rules do not allow it: what it said.
        case refused(String)
    }

    /// Pushes a reference of the store, without force.
    func push(
        _ source: String,
        to target: String,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> PushOutcome {
        let arguments = ["push", "--porcelain", "--no-verify", "--", self.configuration.url, "\(source):\(target)"]
        let output = try await self.run(arguments, until: deadline)
        if output.succeeded { return .done }
        // One line for each reference: flag, names, summary.
        guard let refusal = output.output.split(separator: "\n").first(where: { $0.hasPrefix("!") }) else {
            throw GitFailure.error("push", output, label: self.label, otherwise: .unreadable)
        }
        let races = [
            "[rejected]", "cannot lock ref", "failed to update ref", "incorrect old value", "reference already exists",
        ]
        if races.contains(where: { refusal.contains($0) }) { return .overtaken }
        let reason = PrintableText.line(refusal.split(separator: "\t").last ?? refusal, limit: 300)
        return .refused("\(reason). It said: \(GitFailure.said(output))")
    }
}
