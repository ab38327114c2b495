package import ArgumentParser
import Deployments
import Manifests

/// One deployment of the manifests on a command line.
package struct ManifestChoice: ParsableArguments {
    @Argument(help: ArgumentHelp("Manifests, or folders of them.", valueName: "path"), completion: .file())
    package var paths: [String] = []

    @Option(help: ArgumentHelp("Which one, when there are several.", valueName: "name"))
    package var deployment: DeploymentArgument?

    @Option(
        help: ArgumentHelp(
            "The ServingRuntimes that the controller ships with, as for validate.",
            valueName: "folder"
        ),
        completion: .directory
    )
    package var runtimes: String?

    package init() {}

    /// Reads manifests as the daemon does, with what it ships with.
    func reader(environment: [String: String]) throws -> ManifestReader {
        let library = try (self.runtimes ?? ShippedRuntimes.folder(environment: environment)).map {
            try ManifestFiles(paths: [$0])
        }
        return ManifestReader(library: library?.files ?? [])
    }

    /// - Parameters:
    ///   - console: Is told what is wrong with the manifests.
    ///   - verb: What is not done then: `simulated`.
    /// - Returns: The deployment that is meant.
    /// - Throws: A `CommandFailure` when the manifests have errors or do not say which deployment is meant.
    func spec(on console: Console, verb: String) throws -> DeploymentSpec {
        guard !self.paths.isEmpty else {
            throw CommandFailure(code: .usage, message: "name a manifest, or a folder of manifests")
        }
        let files = try ManifestFiles(paths: self.paths, withDefaults: true)
        let reader = try self.reader(environment: console.environment)
        // It is not merged yet: there is no commit to name.
        let origin = CommitReference(repository: "here", branch: "yours", commit: "unmerged")
        let state = reader.read(files.files, origin: origin)
        let report = ValidationReport(state, of: files, library: [])
        if report.errors > 0 {
            report.lines(width: nil).forEach(console.tell)
            throw CommandFailure(code: .refused, message: "nothing is \(verb) before these are mended")
        }
        let names = state.deployments.map(\.id.description).joined(separator: ", ")
        if let id = self.deployment?.id {
            if let spec = state.deployments.first(where: { $0.id == id }) { return spec }
            throw CommandFailure(code: .usage, message: "there is no \(id) in these files; there is: \(names)")
        }
        guard state.deployments.count == 1, let spec = state.deployments.first else {
            throw CommandFailure(
                code: .usage,
                message: state.deployments.isEmpty
                    ? "there is no ModelDeployment in \(self.paths.joined(separator: ", "))"
                    : "these files hold several deployments: choose one with --deployment: \(names)"
            )
        }
        return spec
    }
}
