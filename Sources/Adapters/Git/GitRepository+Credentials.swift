import Foundation
import Reconciliation

extension GitRepository {
    /// Opens the store, checks that there is what the server asks for, and fetches what opens it.
    func openForServer(until deadline: ContinuousClock.Instant) async throws(SourceError) {
        let tools = try await self.open(until: deadline)
        try tools.surroundings.checkCredentials()
        guard case .gitHubApp(let app) = self.configuration.credentials else { return }
        if let token = self.installationToken, token.isUsable(at: Date()) { return }
        let token = try await app.token(
            at: Date(),
            by: self.client,
            caFile: self.configuration.caFile,
            timeout: max(.milliseconds(1), deadline - .now),
            label: self.label
        )
        do {
            try tools.surroundings.write(token)
        } catch {
            throw self.label.error(.unreadable, "the token of the app cannot be kept in \(self.directory.home)", .retry)
        }
        self.installationToken = token
    }

    /// A token that the server did not take is not tried again: it may have been revoked.
    func forgetToken(after error: SourceError) {
        if error.code == .refused { self.installationToken = nil }
    }
}
