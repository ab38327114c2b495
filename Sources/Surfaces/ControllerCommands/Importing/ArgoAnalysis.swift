import Deployments
import Manifests

/// The gates that an analysis of Argo Rollouts becomes.
struct ArgoAnalysis {
    let conversion: ImportConversion
    let rollout: ImportObject

    /// Gates, and how long they measure.
    struct Gates {
        var names: [String] = []
        var measuring: Duration = .zero

        static let none = Gates()
    }

    /// What `{templates: […], args: […]}` becomes.
    func gates(of analysis: ImportField) -> Gates {
        var gates = Gates()
        analysis.disregard("measurementRetention", "analysisRunMetadata")
        let dry = Set(analysis["dryRun"]?.items.compactMap { $0["metricName"]?.node.scalarText } ?? [])
        analysis["dryRun"]?.chosen("gates that decide nothing are left out")
        let given = self.values(of: analysis["args"])
        for reference in analysis["templates"]?.items ?? [] {
            self.add(reference, given: given, dry: dry, depth: 0, to: &gates)
        }
        return gates
    }

    private func add(
        _ reference: ImportField,
        given: [String: String],
        dry: Set<String>,
        depth: Int,
        to gates: inout Gates
    ) {
        guard let name = reference["templateName"]?.text else { return }
        let isWide = reference["clusterScope"]?.boolean ?? false
        let kinds: [ImportKind] = isWide ? [.clusterAnalysisTemplate] : [.analysisTemplate]
        guard let object = self.conversion.catalog.object(kinds, named: name, in: self.rollout.namespace) else {
            reference.lost("\(kinds[0].rawValue) \(name.inBackticks) is not among the files: add the file that has it")
            return
        }
        guard let spec = object.spec, depth < 8 else { return }
        for nested in spec["templates"]?.items ?? [] {
            self.add(nested, given: given, dry: dry, depth: depth + 1, to: &gates)
        }
        var values = self.values(of: spec["args"])
        values.merge(given) { $1 }
        spec.disregard("measurementRetention")
        let off = dry.union(spec["dryRun"]?.items.compactMap { $0["metricName"]?.node.scalarText } ?? [])
        spec["dryRun"]?.chosen("gates that decide nothing are left out")
        let metrics = spec["metrics"]?.items ?? []
        for metric in metrics {
            guard let metricName = metric["name"]?.text else { continue }
            if off.contains(metricName) || off.contains("*") {
                metric.lost("a dry run decides nothing: name the gate where it is to decide")
                continue
            }
            if metrics.count == 1 { metric["name"]?.meaningless() }
            let label = metrics.count == 1 ? name : "\(name)-\(metricName)"
            let reading = ArgoMetric(metric, values: values, conversion: self.conversion)
            guard let gate = reading.gate else { continue }
            let emitted = self.conversion.emit(
                .analysisTemplate,
                named: [label, "\(self.rollout.name)-\(label)"],
                spec: gate.spec,
                from: metric
            )
            if !gates.names.contains(emitted) { gates.names.append(emitted) }
            gates.measuring = max(gates.measuring, gate.measuring)
        }
    }

    /// Arguments by name; what only the cluster knows becomes our variables.
    private func values(of arguments: ImportField?) -> [String: String] {
        var values: [String: String] = [:]
        for argument in arguments?.items ?? [] {
            guard let name = argument["name"]?.text else { continue }
            if let value = argument["value"]?.text {
                values[name] = value
            } else if let from = argument["valueFrom"] {
                values[name] = self.value(from: from)
            } else {
                // Declared only; a query that needs it says so.
                argument["name"]?.meaningless()
            }
        }
        return values
    }

    private func value(from source: ImportField) -> String? {
        if let hash = source["podTemplateHashValue"] {
            if hash.node.scalarText == "Latest" {
                hash.chosen("${revision} is what identifies the canary: the metric needs it as a label")
                return "${revision}"
            }
            hash.lost("a `threshold` looks at the canary alone: compare with stable by a gate of kind `ratio`")
        } else if let path = source["fieldRef"]?["fieldPath"], let text = path.node.scalarText {
            switch text {
            case "metadata.name":
                path.carried()
                return "${deployment}"
            case "metadata.namespace":
                path.carried()
                return "${namespace}"
            default:
                let label = text.wholeMatch(of: /metadata\.labels\['(.+)'\]/).map { String($0.1) }
                let value = label.flatMap { self.rollout.root["metadata"]?["labels"]?[$0]?.node.scalarText }
                guard let value else {
                    path.lost("write the value out in the query")
                    return nil
                }
                path.chosen("written out")
                return value
            }
        } else {
            source.lost("queries hold no secrets: credentials of a provider are in the daemon's configuration")
        }
        return nil
    }
}
