import ArgumentParser
import ControllerAPI
import ControllerCommands
import Deployments
import Foundation
import Persistence
import Reconciliation
import Transport

struct SupportBundleCommand: ClientCommand {
    static let configuration = CommandConfiguration(
        commandName: "support-bundle",
        abstract: "Collect what somebody needs who is to find out what is wrong, without secrets.",
        discussion: """
            One archive with the version, the configuration, what `doctor` says, the state of all deployments, the
            newest events, what the journal holds, metrics and the end of the log. Files that hold secrets are never
            read, and what is written like one is taken out of all the rest. Look through it before you pass it on:
            names of models, hosts and people are in it.

            EXAMPLES
              sudo -u controller controller support-bundle
              controller support-bundle --output /tmp/controller.tar.gz --log /var/log/controller.log --offline
            """
    )

    @Option(help: "The configuration file.")
    var config: String = Configuration.defaultPath

    @Option(
        help: ArgumentHelp(
            "The archive; it must not be there yet. Default: controller-support-TIME.tar.gz.",
            valueName: "file"
        ),
        completion: .file()
    )
    var output: String?

    @Option(
        help: ArgumentHelp(
            "The controller's log. Default: what journald has of controller.service.",
            valueName: "file"
        ),
        completion: .file()
    )
    var log: String?

    @Flag(help: "Ask nobody on the network.")
    var offline = false

    func run(on console: Console) async throws {
        let time = console.now().formatted(.iso8601.dateTimeSeparator(.standard).timeSeparator(.omitted))
        let name = "controller-support-\(time)"
        let output = self.output ?? "\(name).tar.gz"
        guard !FileManager.default.fileExists(atPath: output) else {
            throw CommandFailure(code: .usage, message: "\(output) is there already: name another with --output")
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "controller-bundle-\(UUID().uuidString)")
        // What stays behind is in the temporary folder, and nobody else may read it.
        defer { try? FileManager.default.removeItem(at: folder) }
        let inner = folder.appending(path: name)
        try FileManager.default.createDirectory(
            at: inner,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        let parts = SupportParts(command: self, console: console)
        var names: [String] = []
        let redaction = Redaction()
        for (file, text) in await parts.collect() {
            try Data(redaction.redacted(text).utf8).write(to: inner.appending(path: file))
            names.append(file)
        }
        let tar = try SupportParts.run("tar", ["-czf", output, "-C", folder.path, name])
        guard tar.status == 0 else {
            throw CommandFailure(code: .refused, message: "\(output) cannot be made: \(tar.text)")
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: output)
        try console.print(StyledText("\(output) holds \(names.joined(separator: ", "))"))
        console.tell("look through it before you pass it on: names of models, hosts and people are in it")
    }
}
