package import Manifests

/// What a configuration comes to: each setting with its value, and where that comes from.
package struct EffectiveSettings: Sendable {
    package struct Value: Codable, Hashable, Sendable {
        /// As in messages: `repositories[0].interval`.
        package var setting: String
        package var value: String
        /// `/etc/controller/controller.yaml:4`, `--poll`, `CONTROLLER_POLL` or `default`.
        package var origin: String
    }

    /// In the order of the reference.
    package private(set) var values: [Value] = []
    /// Those of the file that name another file, with where.
    package private(set) var files: [(setting: String, path: String, position: TextPosition)] = []

    private let path: String

    /// Of the text of a file that has no errors; its path is for the origins.
    package init(
        of bytes: [UInt8],
        path: String,
        environment: [String: String],
        overrides: ConfigurationOverrides = ConfigurationOverrides()
    ) {
        self.path = path
        let root = YAMLStream(parsing: bytes).documents.first?.root
        for section in ConfigurationReference.sections {
            let place = section.place.split(separator: ", ").first.map(String.init) ?? ""
            for (place, node) in Self.places(place, in: root) {
                self.add(section.shape, at: place, node)
            }
        }
        for setting in OverridableSetting.allCases {
            let variable = environment[setting.variable].flatMap { $0.isEmpty ? nil : $0 }
            let flag = setting.value(in: overrides)
            guard let value = flag.map({ $0.count == 1 ? $0[0] : "[\($0.joined(separator: ", "))]" }) ?? variable else {
                continue
            }
            let origin = flag == nil ? setting.variable : setting.flag
            self.values.removeAll { $0.setting == setting.place }
            self.values.append(Value(setting: setting.place, value: value, origin: origin))
        }
    }

    /// Mappings that count with their defaults where the file has none.
    private static let always: Set<String> = ["", "artifacts", "local", "journal", "audit", "repositories[].deletion"]

    /// Each mapping that stands at `pattern`, with its number in place of `[]`.
    private static func places(_ pattern: String, in root: YAMLNode?) -> [(String, YAMLNode?)] {
        var found: [(String, YAMLNode?)] = [("", root)]
        for step in pattern.split(separator: ".").map(String.init) {
            let name = step.replacing("[]", with: "")
            found = found.flatMap { place, node -> [(String, YAMLNode?)] in
                let child = node?[name]
                let path = place.isEmpty ? name : "\(place).\(name)"
                guard step.hasSuffix("[]") else { return [(path, child)] }
                guard case .sequence(let items)? = child?.content else { return [] }
                return items.enumerated().map { ("\(path)[\($0.offset)]", $0.element) }
            }
        }
        return found.filter { $0.1 != nil || Self.always.contains(pattern) }
    }

    private mutating func add(_ shape: Shape, at place: String, _ node: YAMLNode?) {
        for entry in shape.fields {
            let setting = place.isEmpty ? entry.name : "\(place).\(entry.name)"
            if let value = node?[entry.name] {
                // Mappings and lists of mappings have sections of their own.
                guard let text = Self.text(value) else { continue }
                let origin = "\(self.path):\(value.position.line)"
                self.values.append(Value(setting: setting, value: text, origin: origin))
                let isFile = entry.name.hasSuffix("File") || entry.name == "gpgKeyring"
                if isFile, let path = value.scalarText { self.files.append((setting, path, value.position)) }
            } else if let standard = ConfigurationReference.standard(of: entry.name, in: shape),
                !Self.isTaken(entry, node)
            {
                self.values.append(Value(setting: setting, value: standard, origin: "default"))
            }
        }
    }

    /// Whether another setting takes the place of one with a default.
    private static func isTaken(_ entry: Shape.Entry, _ node: YAMLNode?) -> Bool {
        entry.name == "branch" && ["tag", "semver", "commit"].contains { node?[$0] != nil }
            || entry.name == "username" && node?["tokenFile"] == nil && node?["tokenVariable"] == nil
    }

    /// On one line, nothing for what has a section of its own.
    private static func text(_ node: YAMLNode) -> String? {
        switch node.content {
        case .scalar(let scalar): return scalar.text
        case .sequence(let items):
            let texts = items.compactMap(\.scalarText)
            return texts.count == items.count ? "[\(texts.joined(separator: ", "))]" : nil
        case .mapping: return nil
        }
    }
}

extension OverridableSetting {
    /// Where it stands in the file.
    var place: String {
        switch self {
        case .stateDirectory: "stateDirectory"
        case .socket: "socket"
        case .logLevel: "logLevel"
        case .poll: "poll"
        case .runtimes: "runtimes"
        case .envoy: "local.envoy"
        case .listen: "local.listen"
        case .ports: "local.ports"
        }
    }
}
