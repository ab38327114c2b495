package import Deployments

extension Configuration {
    /// Replicas and the router on this machine.
    package struct Local: Hashable, Sendable {
        /// A path, or a name that is looked up in `PATH`.
        package var envoy: String
        /// Where the router takes requests.
        package var listen: SocketAddress
        /// For replicas.
        package var ports: ClosedRange<Int>
        /// Names of the daemon's variables that replicas inherit; `PATH` is always one.
        package var environment: [String]
        /// For all replicas together; what is left out is the machine's, and of cores unlimited.
        package var capacity: Capacity
    }
}
