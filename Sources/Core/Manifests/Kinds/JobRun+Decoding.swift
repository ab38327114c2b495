import Deployments

extension Shape {
    static let job = Shape(
        "job",
        [.required("command", "[evaluate, --endpoint, \"${endpoint}\"]"), .optional("timeout", "15m")]
    )
}

extension JobRun {
    static let variables = ThresholdQuery.variables + ["endpoint", "model.name", "model.version"]

    init(decoding members: Members) {
        self.init(command: [])
        self.timeout = members["timeout"]?.duration(in: .seconds(1) ... .hours(24)) ?? self.timeout
        guard let field = members["command"], let items = field.list() else { return }
        self.command = items.compactMap { $0.string(limit: 4096) }
        for (item, text) in zip(items, self.command) { item.checkVariables(in: text, known: Self.variables) }
        guard let program = self.command.first, let first = items.first else {
            field.error("the command is empty: name a program of the folders that the daemon's `jobs` allows")
            return
        }
        guard NameForm.isIdentifier(program, also: "-.") else {
            first.expected("the name of a program, without its folder: the daemon's `jobs` says where programs are")
            return
        }
    }
}
