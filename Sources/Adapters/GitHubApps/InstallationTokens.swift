package import Foundation
package import Transport

/// The token of one app's installation, asked for again before it ends.
package actor InstallationTokens {
    private let app: GitHubApp
    private let client: HTTPClient
    private let caFile: String?
    private let timeout: Duration
    private var current: InstallationToken?

    /// - Parameters:
    ///   - app: Whose tokens.
    ///   - client: What asks.
    ///   - caFile: PEM file of the authorities to trust, instead of the system's.
    ///   - timeout: For one request.
    package init(app: GitHubApp, client: HTTPClient, caFile: String?, timeout: Duration) {
        self.app = app
        self.client = client
        self.caFile = caFile
        self.timeout = timeout
    }

    /// One that can be used for some minutes at least. Who asks while another does gets one too.
    package func token(at now: Date) async throws(AppFailure) -> String {
        if let current = self.current, current.isUsable(at: now) { return current.text }
        let fresh = try await self.app.token(at: now, by: self.client, caFile: self.caFile, timeout: self.timeout)
        self.current = fresh
        return fresh.text
    }

    /// One that was not taken is not handed out again: it may have been revoked.
    package func forget(_ token: String) {
        if self.current?.text == token { self.current = nil }
    }
}
