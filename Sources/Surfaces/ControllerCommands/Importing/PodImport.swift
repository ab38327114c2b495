import Deployments
import Manifests

/// A pod's template as a process of ours: its container's command becomes a ServingRuntime.
struct PodImport {
    let pod: ImportField
    let container: ImportField?
    private let port: String?
    private let conversion: ImportConversion

    /// - Parameters:
    ///   - pod: A PodSpec.
    ///   - name: The name of the container that serves; the first unless there is one of that name.
    ///   - port: Where it listens, as somebody else knows it.
    ///   - conversion: Takes what is emitted.
    init(_ pod: ImportField, container name: String? = nil, port: String? = nil, conversion: ImportConversion) {
        self.pod = pod
        let containers = pod["containers"]?.items ?? []
        let container = containers.first { name != nil && $0["name"]?.node.scalarText == name } ?? containers.first
        self.container = container
        let ports = container?["ports"]?.items.compactMap { $0["containerPort"]?.node.scalarText } ?? []
        let named = container?["ports"]?.items.first { $0["name"]?.node.scalarText == port }
        self.port = named?["containerPort"]?.node.scalarText ?? (port.flatMap(Int.init) == nil ? ports.first : port)
        self.conversion = conversion
        for other in containers where other.path != container?.path {
            other.lost("a replica is one process: run what the sidecar does beside the controller, or not at all")
        }
    }

    /// A Deployment's or a Rollout's `template`.
    static func read(
        template: ImportField?,
        port: String?,
        into deployment: inout ImportedDeployment,
        conversion: ImportConversion
    ) {
        guard let template, let pod = template["spec"] else { return }
        template["metadata"]?.disregard("labels", "creationTimestamp", "name")
        if let annotations = template["metadata"]?["annotations"] { ImportAnnotations.read(annotations) }
        PodImport(pod, port: port, conversion: conversion).read(into: &deployment)
    }

    func read(into deployment: inout ImportedDeployment) {
        Self.read(pod: self.pod)
        guard let container else { return }
        if let version = Self.version(ofImage: container["image"]?.node.scalarText) {
            deployment.model.value.version = version
        }
        deployment.model.value.uri.comment =
            "to decide: where the model's files are; with a container they are in its image, or it fetched them"
        container.decideModel()
        deployment.resources = ResourceImport.read(container["resources"])
        let name = deployment.name
        deployment.runtime = self.runtime(
            named: [name, "\(deployment.namespace)-\(name)", "\(name)-runtime"],
            protocolName: "http"
        )
    }

    /// What a pod has besides its containers.
    static func read(pod: ImportField) {
        pod.lose([
            "initContainers": "what must be there before a replica starts belongs into the artifact or the machine",
            "volumes": "a replica reads its artifact and the machine's own files: no volumes are mounted",
            "serviceAccountName": "credentials for artifacts are the daemon's, in its configuration",
            "serviceAccount": "credentials for artifacts are the daemon's, in its configuration",
            "nodeSelector": "replicas run on the controller's machine",
            "tolerations": "replicas run on the controller's machine",
            "affinity": "replicas run on the controller's machine",
            "topologySpreadConstraints": "replicas run on the controller's machine",
            "priorityClassName": "there are no priorities among replicas",
            "securityContext": "replicas run as the daemon's user: confine that one",
            "runtimeClassName": "replicas are processes, without a container runtime",
            "hostAliases": "names are resolved as the machine does",
        ])
        pod.disregard(
            "restartPolicy",
            "dnsPolicy",
            "schedulerName",
            "enableServiceLinks",
            "automountServiceAccountToken",
            "imagePullSecrets"
        )
    }

    private static func readRest(of container: ImportField) {
        container.disregard(
            "name",
            "imagePullPolicy",
            "terminationMessagePath",
            "terminationMessagePolicy",
            "ports"
        )
        container.lose([
            "volumeMounts": "a replica reads its artifact and the machine's own files: no volumes are mounted",
            "envFrom": "name each variable in the runtime's `env`; secrets belong into the daemon's environment",
            "securityContext": "replicas run as the daemon's user: confine that one",
            "lifecycle": "a replica is drained for `shutdown.drain`, and then told to end with SIGTERM",
            "workingDir": "a replica's working folder is its own, empty one: write paths out in `command`",
        ])
        container["livenessProbe"]?.chosen(
            "a replica that is not ready any more, by `readiness`, gets no traffic and is started again"
        )
    }

    /// The tag of an image, when it can be a version.
    static func version(ofImage image: String?) -> String? {
        guard let image else { return nil }
        let name = image.split(separator: "/").last ?? ""
        let digest = name.split(separator: "@")
        if digest.count == 2, let hash = digest[1].split(separator: ":").last { return String(hash.prefix(12)) }
        let parts = name.split(separator: ":")
        guard parts.count == 2, NameForm.isIdentifier(String(parts[1]), also: "-.+") else { return nil }
        return String(parts[1])
    }
}

extension PodImport {
    /// Emits the ServingRuntime of the container's command.
    ///
    /// - Parameters:
    ///   - names: What it may be called, the best first.
    ///   - placeholders: Texts of the command that stand for variables of ours.
    ///   - format: The model format that it serves, if it serves many models.
    ///   - protocolName: How it is asked.
    /// - Returns: Its name; nothing without a container.
    func runtime(
        named names: [String],
        placeholders: [(String, String)] = [],
        format: String? = nil,
        protocolName: String
    ) -> ImportedDeployment.Commented<String>? {
        guard let container else { return nil }
        defer {
            container["image"]?.lost("replicas are processes: install what the image holds on the machine that serves")
            Self.readRest(of: container)
        }
        guard container["command"]?.items.isEmpty == false else {
            container["args"]?.lost("they belong behind the `command` of the ServingRuntime that is to be written")
            container["env"]?.lost("it belongs into the ServingRuntime that is to be written")
            container.lose([
                "readinessProbe": "it belongs into the ServingRuntime that is to be written",
                "startupProbe": "it belongs into the ServingRuntime that is to be written",
            ])
            container.ledger.add(
                .decide,
                at: container.node.position,
                field: container.path,
                "it has no `command`, so the image alone knows what runs: write a ServingRuntime "
                    + "\(names[0].inBackticks) with the command, and ${port} where it listens"
            )
            return .init(names[0], "to decide: a ServingRuntime of this name, with the command that the image runs")
        }
        var (command, environment, hasPort) = self.process(placeholders)
        var comment: String?
        if !hasPort {
            environment.removeAll { $0.name == "PORT" }
            environment.append(("PORT", "${port}"))
            comment = "to decide: how the program is told its port; here as the variable PORT"
            container["command"]?.decide("nothing in it says on which port it listens: give it ${port}")
        }
        let environmentNode = ManifestNode.mapping(environment.map { .init($0.name, .text($0.value)) })
        let formats = format.map { name in
            ManifestNode.sequence([.init(value: .members(.init("name", .text(name))))])
        }
        let spec = ManifestNode.members(
            formats.map { .init("formats", $0) },
            .init("protocol", .text(protocolName)),
            .init("command", .sequence(command.map { .init(value: .text($0)) })),
            environment.isEmpty ? nil : .init("env", environmentNode, comment: comment),
            self.readiness,
            self.startup,
            self.shutdown
        )
        return .init(self.conversion.emit(.servingRuntime, named: names, spec: spec, from: container))
    }

    /// The words of the command and the environment, with our variables in them, and whether the port is among these.
    private func process(
        _ placeholders: [(String, String)]
    ) -> (command: [String], environment: [(name: String, value: String)], hasPort: Bool) {
        var environment = self.environment()
        var hasPort = false
        let words = (self.container?["command"]?.items ?? []) + (self.container?["args"]?.items ?? [])
        if let program = words.first, let text = program.node.scalarText, text.hasPrefix(".") {
            program.decide("a replica's working folder is its own, empty one: name the program in full, or one of PATH")
        }
        let command = words.map { word in
            var text = self.expanding(word.text ?? "", environment, at: word)
            for (placeholder, variable) in placeholders { text.replace(placeholder, with: variable) }
            return self.replacingPort(in: text, at: word, &hasPort)
        }
        for index in environment.indices {
            for (placeholder, variable) in placeholders {
                environment[index].value.replace(placeholder, with: variable)
            }
            if environment[index].value == self.port {
                environment[index].value = "${port}"
                hasPort = true
            }
        }
        return (command, environment, hasPort)
    }

    private func environment() -> [(name: String, value: String)] {
        (self.container?["env"]?.items ?? []).compactMap { item in
            guard let name = item["name"]?.text else { return nil }
            guard NameForm.isEnvironmentVariable(name) else {
                item.lost("variables have letters, digits and underscores, and no digit first")
                return nil
            }
            if item["valueFrom"] != nil {
                item.lost("name the variable in `local.environment`: replicas inherit it from the daemon's own")
                return nil
            }
            return (name, item["value"]?.text ?? "")
        }
    }

    /// `$(NAME)`, which Kubernetes replaces before it starts the program.
    private func expanding(
        _ text: String,
        _ environment: [(name: String, value: String)],
        at word: ImportField
    ) -> String {
        var text = text
        for (name, value) in environment { text.replace("$(\(name))", with: value) }
        if text.contains(/\$\([A-Za-z_]/) {
            word.decide("nothing replaces a $(NAME) here: write out what it stands for")
        }
        return text
    }

    /// Every replica has a port of its own.
    private func replacingPort(in text: String, at word: ImportField, _ hasPort: inout Bool) -> String {
        guard let port = self.port ?? Self.portOption(text) else { return text }
        let parts = text.ranges(of: port).filter { range in
            let before = range.lowerBound == text.startIndex ? nil : text[text.index(before: range.lowerBound)]
            let after = range.upperBound == text.endIndex ? nil : text[range.upperBound]
            return !(before?.isNumber ?? false) && !(after?.isNumber ?? false)
        }
        guard let last = parts.last else { return text }
        hasPort = true
        word.chosen("each replica has a port of its own: ${port} instead of \(port)")
        return text.replacingCharacters(in: last)
    }

    private static func portOption(_ text: String) -> String? {
        text.firstMatch(of: /^--?(?:[a-z-]*-|[a-z_]*_)?port[= ]([0-9]{2,5})$/).map { String($0.1) }
    }
}

extension String {
    /// The text with `${port}` there.
    fileprivate func replacingCharacters(in range: Range<String.Index>) -> String {
        self[..<range.lowerBound] + "${port}" + self[range.upperBound...]
    }
}

extension ImportField {
    /// Without taking the rest of the container for told.
    fileprivate func decideModel() {
        let message = "a container does not say where its model is: name the files in `model.uri`"
        self.ledger.add(.decide, at: self.node.position, field: self.path, message)
    }
}
