/// Where and how replicas run on this machine.
package struct LocalReplicasConfiguration: Sendable {
    /// Absolute. Records, logs and the replicas' working folders are made in here; one controller at a time may use it.
    package var directory: String
    /// The ports that replicas may listen on. Nothing else should use them.
    package var ports: ClosedRange<Int>
    /// What every replica finds in its environment, before what its runtime sets.
    package var inheritedEnvironment: [String: String]
    /// The address that replicas listen on and that the router reaches them at.
    package var routerHost: String
    /// Bytes of a replica's log file from which on only its end is kept.
    package var logLimit: Int
    package var backoff: RestartBackoff

    package init(
        directory: String,
        ports: ClosedRange<Int>,
        inheritedEnvironment: [String: String],
        routerHost: String = "127.0.0.1",
        logLimit: Int = 16 << 20,
        backoff: RestartBackoff = RestartBackoff()
    ) {
        self.directory = directory
        self.ports = ports
        self.inheritedEnvironment = inheritedEnvironment
        self.routerHost = routerHost
        self.logLimit = logLimit
        self.backoff = backoff
    }
}
