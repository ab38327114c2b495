import Deployments
import Manifests

extension PodImport {
    /// What the readiness probe asks for.
    var readiness: ManifestNode.Member? {
        guard let probe = self.container?["readinessProbe"] else {
            self.container?.decide("without a `readinessProbe` nobody knows when it can answer: see `readiness`")
            return .init(
                "readiness",
                .members(.init("path", .text("/"))),
                comment: "to decide: a path that answers 200 once the model is ready"
            )
        }
        guard let get = probe["httpGet"] else {
            probe.decide("only a GET says that a replica is ready: name a path that answers 200 then")
            return .init(
                "readiness",
                .members(.init("path", .text("/"))),
                comment: "to decide: a path that answers 200 once the model is ready"
            )
        }
        get.disregard("port", "scheme")
        get["httpHeaders"]?.lost("readiness is asked for without further headers")
        probe["initialDelaySeconds"]?.chosen("readiness is asked for from the start, within `startup.timeout`")
        let members: [ManifestNode.Member?] = [
            .init("path", .text(get["path"]?.text ?? "/")),
            probe["periodSeconds"]?.integer.map { .init("period", .plain("\($0)s")) },
            probe["timeoutSeconds"]?.integer.map { .init("timeout", .plain("\($0)s")) },
            probe["successThreshold"]?.integer.map { .init("successThreshold", .plain("\($0)")) },
            probe["failureThreshold"]?.integer.map { .init("failureThreshold", .plain("\($0)")) },
        ]
        return .init("readiness", .mapping(members.compactMap(\.self)))
    }

    /// A startup probe's failures and period are how long it may take.
    var startup: ManifestNode.Member? {
        guard let probe = self.container?["startupProbe"] else { return nil }
        let period = probe["periodSeconds"]?.node.scalarText.flatMap { Int($0) } ?? 10
        let failures = probe["failureThreshold"]?.node.scalarText.flatMap { Int($0) } ?? 3
        let (seconds, overflow) = period.multipliedReportingOverflow(by: failures)
        guard !overflow, (1...86_400).contains(seconds) else {
            probe.lost("`startup.timeout` is from 1s to 24h")
            return nil
        }
        probe.chosen("a replica must be ready within \(failures) times \(period) s, by `readiness`")
        return .init("startup", .members(.init("timeout", .plain(Quantity.text(.seconds(seconds))))))
    }

    var shutdown: ManifestNode.Member? {
        guard let field = self.pod["terminationGracePeriodSeconds"], let seconds = field.integer else { return nil }
        guard (0...3600).contains(seconds) else {
            field.lost("`shutdown.grace` is at most 1h")
            return nil
        }
        return .init("shutdown", .members(.init("grace", .plain("\(seconds)s"))))
    }
}
