import Deployments
import Manifests

/// Flagger's Canary and the Deployment that it targets become a ModelDeployment.
extension ImportConversion {
    func convert(canary object: ImportObject) {
        guard let spec = object.spec else {
            object.root.lost("it has no `spec`")
            return
        }
        let target = spec["targetRef"]?["name"]?.node.scalarText
        let service = spec["service"]
        var deployment = self.deployment(of: object, service: service?["name"]?.node.scalarText ?? target)
        spec.disregard("provider", "revertOnDeletion")
        let route = "the controller's own router moves the traffic: put the hosts into `route.hosts`"
        spec.lose([
            "metricsServer": "name the provider `prometheus` in the daemon's configuration, with its `url`",
            "ingressRef": route, "routeRef": route, "upstreamRef": route,
        ])
        if let suspend = spec["suspend"], suspend.boolean == true { suspend.lost("pause it with `controller pause`") }
        self.read(target: spec["targetRef"], port: service?["targetPort"]?.node.scalarText, object, into: &deployment)
        self.read(autoscaler: spec["autoscalerRef"], object, into: &deployment)
        if let seconds = spec["progressDeadlineSeconds"]?.duration {
            deployment.rollout.progressDeadline = min(max(seconds, .seconds(1)), .seconds(86_400))
        }
        if let service { FlaggerService.read(service, into: &deployment) }
        if let skip = spec["skipAnalysis"], skip.boolean == true {
            skip.chosen("all traffic at once, without gates")
            deployment.rollout.steps = [ImportedStep(.weight(100), atLeast: .zero, gates: [])]
            (spec["analysis"] ?? spec["canaryAnalysis"])?.chosen("it is skipped there, too")
        } else if let analysis = spec["analysis"] ?? spec["canaryAnalysis"] {
            var reading = FlaggerAnalysis(analysis, of: object, conversion: self)
            reading.read(into: &deployment)
        }
        self.emit(deployment, from: object)
    }

    private func read(
        target: ImportField?,
        port: String?,
        _ object: ImportObject,
        into deployment: inout ImportedDeployment
    ) {
        guard let target else { return }
        target.disregard("apiVersion", "kind")
        target["name"]?.carried()
        let name = target["name"]?.node.scalarText ?? ""
        let kind = target["kind"]?.node.scalarText ?? ""
        guard kind == "Deployment", let workload = self.catalog.object([.deployment], named: name, in: object.namespace)
        else {
            target.decide("\(kind) \(name.inBackticks) is not among the files: add it, or write model and runtime")
            deployment.decideAll()
            return
        }
        AutoscalerImport.read(replicas: workload.spec?["replicas"], into: &deployment)
        self.read(workload: workload, port: port, into: &deployment)
    }

    private func read(autoscaler: ImportField?, _ object: ImportObject, into deployment: inout ImportedDeployment) {
        guard let autoscaler else { return }
        autoscaler.disregard("apiVersion", "kind")
        autoscaler["name"]?.carried()
        autoscaler.lose([
            "primaryScalerQueries": "replicas follow the requests in flight of both revisions together",
            "primaryScalerReplicas": "both revisions have the same bounds",
        ])
        let name = autoscaler["name"]?.node.scalarText ?? ""
        let kind = autoscaler["kind"]?.node.scalarText ?? ""
        guard kind == ImportKind.autoscaler.rawValue,
            let found = self.catalog.object([.autoscaler], named: name, in: object.namespace)
        else {
            autoscaler.decide("\(kind) \(name.inBackticks) is not among the files: add it, or write `autoscaling`")
            return
        }
        AutoscalerImport.read(found, into: &deployment)
    }
}

/// Who calls the service, and how.
enum FlaggerService {
    static func read(_ service: ImportField, into deployment: inout ImportedDeployment) {
        service.disregard(
            "name",
            "port",
            "targetPort",
            "portName",
            "portDiscovery",
            "appProtocol",
            "gateways",
            "gatewayRefs",
            "delegation",
            "headless",
            "apex",
            "primary",
            "canary",
            "meshName",
            "unmanagedMetadata",
            "trafficDistribution"
        )
        service.lose([
            "retries": "the router does not repeat requests: leave that to who calls",
            "headers": "the router changes no headers",
            "corsPolicy": "leave it to what stands before the router",
            "trafficPolicy": "the router talks to replicas on its own machine",
            "backends": "a replica reaches what the machine reaches",
            "mirror": "copies go to the canary alone: see `shadow`",
            "backendTimeout": "see `route.timeout`",
        ])
        if let hosts = service["hosts"] {
            let names = hosts.items.compactMap { host -> String? in
                guard let text = host.node.scalarText, NameForm.isHost(text) else {
                    host.lost("hosts are named in full, in lower case")
                    return nil
                }
                host.carried()
                return text
            }
            let unique = names.enumerated().filter { names.firstIndex(of: $0.element) == $0.offset }.map(\.element)
            if !unique.isEmpty { deployment.hosts = .init(unique) }
            if hosts.items.isEmpty { hosts.carried() }
        }
        if let timeout = service["timeout"] {
            if let duration = timeout.duration, (.milliseconds(1) ... .seconds(3600)).contains(duration) {
                deployment.timeout = duration
            } else {
                timeout.lost("`route.timeout` is from 1ms to 1h")
            }
        }
        let matches = service["match"]?.items ?? []
        for (index, match) in matches.enumerated() {
            guard index == 0, match.members.count == 1, let prefix = match["uri"]?["prefix"],
                let path = prefix.node.scalarText, path.hasPrefix("/")
            else {
                match.lost("a route has hosts and one `pathPrefix`")
                continue
            }
            prefix.carried()
            deployment.pathPrefix = path == "/" ? nil : path
        }
        if let rewrite = service["rewrite"] {
            let isNone =
                rewrite.members.count == 1 && rewrite["uri"]?.node.scalarText == "/"
                && deployment.pathPrefix == nil
            isNone ? rewrite.meaningless() : rewrite.lost("the router sends requests on with the path that they have")
        }
    }
}
