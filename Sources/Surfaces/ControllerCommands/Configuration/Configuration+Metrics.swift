import Deployments
import Manifests

extension Configuration {
    /// Where Prometheus may read the controller's metrics.
    package struct Metrics: Hashable, Sendable {
        package var listen: SocketAddress

        init?(decoding field: Field) {
            guard let listen = field.members(of: .metrics)?["listen"]?.socketAddress() else { return nil }
            self.listen = listen
        }
    }
}

extension ConfigurationDecoder {
    /// Nothing else may listen there.
    func checkMetrics(_ configuration: Configuration, _ field: Field?) {
        guard let field, let listen = configuration.metrics?.listen else { return }
        if configuration.local.ports.contains(listen.port) || listen == configuration.local.listen {
            field.error("the router or its replicas use port \(listen.port): choose another one for metrics")
        } else if listen == configuration.webhooks?.listen {
            field.error("webhooks come to \(listen.host):\(listen.port): choose another port for metrics")
        }
    }
}
