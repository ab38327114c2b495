import Deployments
import Reconciliation
import Transport

/// What Envoy tells about itself, at one instant.
struct EnvoySight: Hashable, Sendable {
    var time: Timestamp
    var statistics: EnvoyStatistics
    var hosts: EnvoyHosts
    /// Sights are numbered as they are begun; an older one never replaces a newer one.
    var number: Int = 0
}

/// Envoy's admin interface on its Unix socket.
struct EnvoyAdmin: Sendable {
    let client: HTTPClient
    let socket: String

    /// Envoy answers in milliseconds; its main thread does nothing else but take configurations.
    private static let timeout = Duration.seconds(3)
    /// A hundred clusters take some hundred kilobytes.
    private static let maxResponseBytes = 32 << 20

    func statistics() async throws(PlatformError) -> EnvoyStatistics {
        EnvoyStatistics(prometheus: String(decoding: try await self.get(EnvoyStatistics.path), as: UTF8.self))
    }

    func hosts() async throws(PlatformError) -> EnvoyHosts {
        try EnvoyHosts(json: try await self.get(EnvoyHosts.path))
    }

    private func get(_ path: String) async throws(PlatformError) -> [UInt8] {
        let request = HTTPRequest(
            url: "http://envoy\(path)",
            unixSocket: self.socket,
            timeout: Self.timeout,
            maxResponseBytes: Self.maxResponseBytes
        )
        let response: HTTPResponse
        do {
            response = try await self.client.send(request)
        } catch {
            throw PlatformError(
                code: .routerUnreachable,
                message: "Envoy does not answer on \(self.socket): \(error.message)",
                recovery: .retry
            )
        }
        guard response.isSuccess else {
            throw PlatformError(
                code: .routerUnreachable,
                message: "Envoy answers \(response.status) on \(self.socket)",
                recovery: .retry
            )
        }
        return response.body
    }
}
