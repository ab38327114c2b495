import Foundation
import GitHubApps
import Reconciliation

extension GitRepository {
    /// Opens the store, checks that there is what the server asks for, and fetches what opens it.
    func openForServer(until deadline: ContinuousClock.Instant) async throws(SourceError) {
        let tools = try await self.open(until: deadline)
        try tools.surroundings.checkCredentials()
        guard case .gitHubApp(let app) = self.configuration.credentials else { return }
        if let token = self.installationToken, token.isUsable(at: Date()) { return }
        let token = try await self.token(of: app, until: deadline)
        do {
            try tools.surroundings.write(token)
        } catch {
            throw self.label.error(.unreadable, "the token of the app cannot be kept in \(self.directory.home)", .retry)
        }
        self.installationToken = token
    }

    private func token(
        of app: GitHubApp,
        until deadline: ContinuousClock.Instant
    ) async throws(SourceError) -> InstallationToken {
        do throws(AppFailure) {
            return try await app.token(
                at: Date(),
                by: self.client,
                caFile: self.configuration.caFile,
                timeout: max(.milliseconds(1), deadline - .now)
            )
        } catch {
            let code: SourceError.Code =
                switch error.code {
                case .notConfigured: .notConfigured
                case .refused: .refused
                case .unreachable: .unreachable
                case .timedOut: .timedOut
                }
            throw self.label.error(
                code,
                PrintableText.line(error.text, limit: 700),
                error.isPassing ? .retry : .needsOperator
            )
        }
    }

    /// A token that the server did not take is not tried again: it may have been revoked.
    func forgetToken(after error: SourceError) {
        if error.code == .refused { self.installationToken = nil }
    }
}
