import Manifests

/// Where a setting may come from besides the file. A flag goes before a variable.
struct SettingSources {
    private let fields: [OverridableSetting: [Field]]
    private let logs: [DiagnosticLog]

    init(environment: [String: String], overrides: ConfigurationOverrides) {
        var fields: [OverridableSetting: [Field]] = [:]
        var logs: [DiagnosticLog] = []
        for setting in OverridableSetting.allCases {
            let flag = setting.value(in: overrides)
            // An empty variable is how a shell unsets one for a child.
            let variable = environment[setting.variable].flatMap { $0.isEmpty ? nil : $0 }
            let values = flag ?? variable.map { Self.split($0, for: setting) }
            guard let values else { continue }
            let log = DiagnosticLog(path: flag == nil ? setting.variable : setting.flag)
            logs.append(log)
            fields[setting] = values.map { Self.field($0, log: log) }
        }
        let known = OverridableSetting.allCases.map(\.variable)
        for name in environment.keys.sorted() where name.hasPrefix(OverridableSetting.prefix) && !known.contains(name) {
            // A cluster defines variables for services that may be called `controller`: only slips are worth a word.
            let suffix = String(name.dropFirst(OverridableSetting.prefix.count))
            let meant = NearestName.of(suffix, among: OverridableSetting.allCases.map(\.rawValue))
            guard let setting = meant.flatMap(OverridableSetting.init) else { continue }
            let log = DiagnosticLog(path: name)
            let message = "this variable sets nothing: did you mean \(setting.variable.inBackticks)?"
            log.add(.warning, at: TextPosition(line: 0, column: 0), field: "", message)
            logs.append(log)
        }
        self.fields = fields
        self.logs = logs
    }

    var diagnostics: [Diagnostic] { self.logs.flatMap(\.diagnostics) }

    /// What a flag or a variable says, and else what the file says. The file is checked in any case.
    func value<Value>(of setting: OverridableSetting, else file: Field?, _ read: (Field) -> Value?) -> Value? {
        let written = file.flatMap(read)
        return self.fields[setting]?.first.map(read) ?? written
    }

    /// Of a setting that is a list; variables separate its items with colons, as in `PATH`.
    func list<Value>(of setting: OverridableSetting, else file: Field?, _ read: (Field) -> Value?) -> [Value]? {
        let written = file?.list()?.compactMap(read)
        return self.fields[setting]?.compactMap(read) ?? written
    }

    private static func split(_ value: String, for setting: OverridableSetting) -> [String] {
        setting == .runtimes ? value.split(separator: ":").map(String.init) : [value]
    }

    private static func field(_ text: String, log: DiagnosticLog) -> Field {
        let scalar = YAMLScalar(text: text, isPlain: false)
        let node = YAMLNode(content: .scalar(scalar), position: TextPosition(line: 0, column: 0))
        return Field(document: node, log: log)
    }
}
