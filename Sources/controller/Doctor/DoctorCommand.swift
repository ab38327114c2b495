import ArgumentParser
import ControllerAPI
import ControllerCommands
import Foundation
import Transport

struct DoctorCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Check all that the controller needs, and say how to mend what is wrong.",
        discussion: """
            It reads the configuration, looks at programs, folders, limits and ports, reads each repository with its
            credentials into a folder of its own, and asks each Prometheus and the model registry. It changes nothing.
            Run it as the controller's user, before the first start or while it runs.

            EXAMPLES
              controller doctor --config /etc/controller/controller.yaml
              sudo -u controller controller doctor
              controller doctor --offline --output json
            """
    )

    @Option(name: .long, help: "The configuration file.")
    var config: String = Configuration.defaultPath

    @Flag(help: "Ask nobody on the network.")
    var offline = false

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    var output: OutputFormat = .table

    func run(on console: Console) async throws {
        let configuration: Configuration
        do {
            configuration = try Configuration.load(
                path: self.config,
                environment: console.environment,
                overrides: ConfigurationOverrides()
            )
        } catch {
            console.tell(StyledText("\(error)"))
            throw CommandFailure(code: .usage, message: "")
        }
        let findings = await Self.findings(
            of: configuration,
            path: self.config,
            offline: self.offline,
            console: console
        )
        try self.print(findings, on: console)
    }

    static func findings(
        of configuration: Configuration,
        path: String,
        offline: Bool,
        console: Console
    ) async -> [Finding] {
        var findings = configuration.warnings.map { Finding.warning("configuration", "\($0)") }
        if findings.isEmpty { findings = [.ok("configuration", "\(path) has no problems")] }
        let running = await Self.controller(on: configuration.socket, console)
        findings += running.findings
        findings += MachineChecks(
            configuration: configuration,
            path: path,
            programs: console.environment["PATH", default: ""],
            isRunning: running.answers
        ).findings()
        guard !offline else { return findings }
        let client = HTTPClient()
        defer { client.close() }
        return findings + (await RemoteChecks(configuration: configuration, client: client).findings())
    }

    /// What the controller itself complains of, where it runs.
    private static func controller(on socket: String, _ console: Console) async -> (answers: Bool, findings: [Finding])
    {
        let subject = "controller"
        do throws(ControllerClientError) {
            let fleet = try await console.connect(.socket(socket)).fleet()
            let problems = fleet.sources.compactMap { source in
                source.problem.map { Finding.error(subject, "\(source.repository): \($0)") }
            }
            let unwell = fleet.deployments.filter { $0.health == .degraded || $0.health == .unknown }.map {
                Finding.warning(subject, "\($0.namespace)/\($0.name) is \($0.health.rawValue): \($0.message)")
            }
            let all = "answers on \(socket), with \(fleet.deployments.count) deployments"
            return (true, [.ok(subject, all)] + problems + unwell)
        } catch {
            guard error.code != .unreachable else { return (false, [.ok(subject, "none runs on \(socket)")]) }
            return (true, [.error(subject, error.message)])
        }
    }

    /// - Throws: A `CommandFailure` when something is wrong.
    private func print(_ findings: [Finding], on console: Console) throws {
        try self.output.print(findings, on: console) {
            findings.map { finding in
                let (word, style): (String, StyledText.Style) =
                    switch finding.level {
                    case .ok: ("ok     ", .green)
                    case .warning: ("warning", .yellow)
                    case .error: ("ERROR  ", .red)
                    }
                return StyledText(word, style) + StyledText("  \(finding.subject): \(finding.text)")
            }
        }
        let errors = findings.count { $0.level == .error }
        guard errors == 0 else {
            let things = errors == 1 ? "1 thing is" : "\(errors) things are"
            throw CommandFailure(code: .refused, message: "\(things) wrong: mend what is marked ERROR")
        }
    }
}
