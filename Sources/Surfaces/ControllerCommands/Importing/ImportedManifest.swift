import ControllerWords
import Manifests

/// One manifest of ours that came out of the input.
package struct ImportedManifest: Encodable, Hashable, Sendable {
    package var kind: String
    package var name: String
    /// Only a ModelDeployment has one.
    package var namespace: String?
    /// The file that it comes from.
    package var path: String
    /// Where it begins there.
    package var line: Int
    /// The manifest itself, in YAML.
    package var yaml: String

    /// `rollout.yaml:12`
    var from: String { "\(TerminalText.escaped(self.path)):\(self.line)" }

    /// Where it lies below the folder that it is written into.
    package var file: String

    init(_ kind: ManifestKind, name: String, namespace: String? = nil, from source: ImportField, yaml: String) {
        self.kind = kind.rawValue
        self.name = name
        self.namespace = namespace
        self.path = source.ledger.path
        self.line = source.node.position.line
        self.yaml = yaml
        // A file of the one name that means something holds nothing else.
        let file = "\(name).yaml" == ManifestReader.defaultsName ? "\(name)-itself.yaml" : "\(name).yaml"
        switch kind {
        case .modelDeployment, .modelDeploymentDefaults: self.file = "\(namespace ?? "default")/\(file)"
        case .servingRuntime: self.file = "runtimes/\(file)"
        case .analysisTemplate, .freezeWindow: self.file = "analysis/\(file)"
        }
    }
}
