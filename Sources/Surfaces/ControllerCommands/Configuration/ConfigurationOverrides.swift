/// What flags say, as they were typed. A flag goes before the environment, and that before the file.
package struct ConfigurationOverrides: Hashable, Sendable {
    package var stateDirectory: String?
    package var socket: String?
    package var logLevel: String?
    package var poll: String?
    package var runtimes: [String]?
    package var envoy: String?
    package var listen: String?
    package var ports: String?

    package init() {}
}

/// A setting that a flag and a variable may give.
enum OverridableSetting: String, CaseIterable {
    case stateDirectory = "STATE_DIRECTORY"
    case socket = "SOCKET"
    case logLevel = "LOG_LEVEL"
    case poll = "POLL"
    case runtimes = "RUNTIMES"
    case envoy = "ENVOY"
    case listen = "LISTEN"
    case ports = "PORTS"

    static let prefix = "CONTROLLER_"

    var variable: String { Self.prefix + self.rawValue }

    /// `--state-directory`
    var flag: String { "--" + self.rawValue.lowercased().replacing("_", with: "-") }

    func value(in overrides: ConfigurationOverrides) -> [String]? {
        switch self {
        case .stateDirectory: overrides.stateDirectory.map { [$0] }
        case .socket: overrides.socket.map { [$0] }
        case .logLevel: overrides.logLevel.map { [$0] }
        case .poll: overrides.poll.map { [$0] }
        case .runtimes: overrides.runtimes
        case .envoy: overrides.envoy.map { [$0] }
        case .listen: overrides.listen.map { [$0] }
        case .ports: overrides.ports.map { [$0] }
        }
    }
}
