package import Deployments

/// How the local router runs, from the daemon's configuration.
package struct EnvoyConfiguration: Hashable, Sendable {
    /// The absolute path of Envoy 1.40 or later.
    package var executable: String
    /// Absolute; the router's alone. Holds what Envoy reads, its admin socket and its log.
    package var directory: String
    /// Where clients connect; an IP address, not a name.
    package var listen: Endpoint
    /// Worker threads.
    package var concurrency: Int
    /// How long a listener that is replaced goes on with its open connections.
    package var drainTime: Duration
    /// How long an endpoint is still reported as serving after Envoy's main thread marked it as draining: its workers
    /// follow some milliseconds later.
    package var settleTime: Duration

    package init(
        executable: String,
        directory: String,
        listen: Endpoint,
        concurrency: Int = 2,
        drainTime: Duration = .seconds(10),
        settleTime: Duration = .milliseconds(200)
    ) {
        self.executable = executable
        self.directory = directory
        self.listen = listen
        self.concurrency = concurrency
        self.drainTime = drainTime
        self.settleTime = settleTime
    }
}
