import ControllerAPI
import Foundation
import Testing

/// The team's side: a bare repository as on a git host, and a clone to push from.
extension Sandbox {
    func setUpRepository() async throws {
        try await self.git("init", "--quiet", "--bare", "-b", "main", self.remote)
        try await self.git("init", "--quiet", "-b", "main", self.clone)
        try FileManager.default.createDirectory(
            atPath: "\(self.clone)/deployments",
            withIntermediateDirectories: true
        )
        try self.write(
            "\(self.clone)/deployments/runtime.yaml",
            Release.runtime(python: try Machine.python(), server: "\(Machine.fixtures)/model_server.py")
        )
    }

    /// Merges a release to the watched branch.
    ///
    /// - Returns: The commit.
    @discardableResult
    func merge(_ release: Release, also files: [String: String] = [:]) async throws -> String {
        try self.write("\(self.models)/\(release.version)", "the weights of \(release.version)\n")
        var files = files
        files["echo.yaml"] = release.manifest(models: self.models)
        return try await self.push(files, "Serve \(release.version)")
    }

    @discardableResult
    func push(_ files: [String: String], _ subject: String) async throws -> String {
        for (name, text) in files { try self.write("\(self.clone)/deployments/\(name)", text) }
        try await self.git("-C", self.clone, "add", "--all")
        try await self.git("-C", self.clone, "commit", "--quiet", "--allow-empty", "-m", subject)
        return try await self.pushHead()
    }

    @discardableResult
    func pushHead() async throws -> String {
        try await self.git("-C", self.clone, "push", "--quiet", self.remote, "HEAD:refs/heads/main")
        return try await self.git("-C", self.clone, "rev-parse", "HEAD")
    }

    @discardableResult
    func git(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
        let ended = try await Machine.run(
            try Machine.program("git"),
            arguments,
            environment: self.environment,
            at: self.folder
        )
        try #require(ended.status == 0, "git \(arguments): \(ended.error)", sourceLocation: sourceLocation)
        return ended.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What the controller wrote on a commit; nothing while there is no note.
    func note(on commit: String) async throws -> String? {
        let ended = try await Machine.run(
            try Machine.program("git"),
            ["-C", self.remote, "notes", "--ref=rollouts", "show", commit],
            environment: self.environment,
            at: self.folder
        )
        return ended.status == 0 ? ended.output : nil
    }

    /// The outcomes that were written on a commit, one after another.
    func told(of commit: String) async throws -> [String] {
        let ended = try await Machine.run(
            try Machine.program("git"),
            [
                "-C", self.remote, "log", "--reverse", "--patch", "--format=%x00%B", "--unified=0",
                "refs/notes/rollouts", "--",
            ],
            environment: self.environment,
            at: self.folder
        )
        // There is no reference before the first note.
        guard ended.status == 0 else { return [] }
        return ended.output.split(separator: "\0").filter { $0.contains("On commit \(commit).") }.compactMap { change in
            change.matches(of: /\+.*"outcome": ?"([a-z-]+)"/).last.map { String($0.1) }
        }
    }

    /// Waits until the repository was polled so many times more.
    func polls(_ count: Int) async throws {
        var seen: Set<Date> = []
        try await self.until("\(count) polls") {
            if let last = await self.fleet()?.sources.first?.lastPolled { seen.insert(last) }
            // The first one seen may have begun before the call.
            return seen.count > count + 1
        }
    }
}
