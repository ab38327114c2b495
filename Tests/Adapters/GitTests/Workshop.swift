import Foundation
import Git
import Logging
import Reconciliation
import Subprocess
import Testing

/// A bare repository that serves as the remote, a clone to push from, and a folder for what is under test; all
/// temporary.
struct Workshop {
    let root: String

    var remote: String { self.root + "/remote.git" }
    var work: String { self.root + "/work" }
    var storage: String { self.root + "/storage" }

    /// Runs `body` in a new workshop whose branch main has one commit, and removes it.
    static func run(
        _ files: [String: String] = [:],
        _ body: (Workshop) async throws -> Void
    ) async throws {
        let template = try await Self.template()
        let workshop = Workshop(root: NSTemporaryDirectory() + "git-tests-" + UUID().uuidString)
        try FileManager.default.copyItem(atPath: template, toPath: workshop.root)
        // Whatever stays behind is in the temporary folder.
        defer { try? FileManager.default.removeItem(atPath: workshop.root) }
        if !files.isEmpty {
            try await workshop.git("rm", "--quiet", "-r", ".")
            try await workshop.commit(files, "Begin")
            try await workshop.push()
        }
        try await body(workshop)
    }

    /// A workshop to copy, because making one takes six programs. It stays in the temporary folder, one for each run;
    /// of those who make it at once, the first to be done wins.
    private static func template() async throws -> String {
        let path = NSTemporaryDirectory() + "git-tests-template-\(ProcessInfo.processInfo.processIdentifier)"
        guard !FileManager.default.fileExists(atPath: path) else { return path }
        let workshop = Workshop(root: path + "-" + UUID().uuidString)
        try FileManager.default.createDirectory(atPath: workshop.root, withIntermediateDirectories: true)
        try await workshop.git("init", "--quiet", "--bare", "-b", "main", workshop.remote)
        try await workshop.git("init", "--quiet", "-b", "main", workshop.work)
        try await workshop.commit(["models/chat.yaml": "kind: chat\n"], "Begin")
        try await workshop.push()
        do {
            try FileManager.default.moveItem(atPath: workshop.root, toPath: path)
        } catch  where FileManager.default.fileExists(atPath: path) {
            try FileManager.default.removeItem(atPath: workshop.root)
        }
        return path
    }

    static let environment: [Environment.Key: String] = [
        "PATH": (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin") + ":/usr/sbin",
        "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C",
        // Nothing in the background, which would also move references to where `head` does not look.
        "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "gc.auto", "GIT_CONFIG_VALUE_0": "0",
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org",
    ]

    /// Runs a program to its end, and hands out what it printed. `input` is a file, and not bytes for a pipe:
    /// Subprocess ends the tests when a program is done before all is written (swiftlang/swift-subprocess#367).
    @discardableResult
    static func command(
        _ program: String,
        _ arguments: [String],
        input: String = "/dev/null",
        check: Bool = true
    ) async throws -> String {
        let result = try await Subprocess.run(
            .name("sh"),
            arguments: Arguments(["-c", "exec \"$@\" < \"$0\"", input, program] + arguments),
            environment: .custom(Self.environment),
            output: .string(limit: 4 << 20),
            error: .string(limit: 4 << 20)
        )
        if result.terminationStatus == .exited(127) {
            Issue.record("the program \(program) is missing: run make setup")
        }
        if check {
            try #require(
                result.terminationStatus.isSuccess,
                "\(program) \(arguments.joined(separator: " ")): \(result.standardError)"
            )
        }
        return result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @discardableResult
    func git(_ arguments: String..., input: String = "") async throws -> String {
        let inWork = FileManager.default.fileExists(atPath: self.work + "/.git")
        let all = (inWork ? ["-C", self.work] : []) + arguments
        guard !input.isEmpty else { return try await Self.command("git", all) }
        let file = self.root + "/input"
        try Data(input.utf8).write(to: URL(filePath: file))
        return try await Self.command("git", all, input: file)
    }

    func write(_ files: [String: String]) throws {
        for (name, text) in files {
            let url = URL(filePath: self.work + "/" + name)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: url)
        }
    }

    /// - Returns: The id of the new commit.
    @discardableResult
    func commit(_ files: [String: String], _ message: String = "Change") async throws -> String {
        try self.write(files)
        try await self.git("add", "--all")
        try await self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return try await self.head()
    }

    /// Empty commits, by one program.
    func commits(_ count: Int) async throws {
        let branch = try await self.git("symbolic-ref", "HEAD")
        var stream = ""
        for index in 1...count {
            stream += "commit \(branch)\ncommitter Ada <ada@example.org> \(index) +0000\ndata 0\n"
            stream += index == 1 ? "from \(branch)^0\n\n" : "\n"
        }
        try await self.git("fast-import", "--quiet", input: stream)
    }

    /// The id of the commit that is checked out, read without a program.
    func head() async throws -> String {
        let folder = URL(filePath: self.work + "/.git")
        let head = try String(contentsOf: folder.appending(path: "HEAD"), encoding: .utf8)
        let reference = head.dropFirst("ref: ".count).trimmingCharacters(in: .whitespacesAndNewlines)
        return try String(contentsOf: folder.appending(path: reference), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    func push(_ source: String = "HEAD", to branch: String = "main") async throws {
        try await self.git("push", "--quiet", "--force", self.remote, "\(source):refs/heads/\(branch)")
    }

    /// A certificate that signs itself: with its key in one file, alone, and the key.
    func certificate(for subject: String, days: Int = 2) async throws -> (both: String, authority: String, key: String)
    {
        let path = self.root + "/\(UUID().uuidString).pem"
        let request = [
            "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=models",
            "-addext", "subjectAltName=\(subject)", "-keyout", path, "-out", path + ".request",
        ]
        try await Self.command("openssl", request)
        let signature = [
            "x509", "-req", "-in", path + ".request", "-signkey", path, "-copy_extensions", "copy", "-days", "\(days)",
            "-out", path + ".public",
        ]
        try await Self.command("openssl", signature)
        let both = try [path, path + ".public"].map { try String(contentsOfFile: $0, encoding: .utf8) }
        try both.joined().write(toFile: path + ".both", atomically: true, encoding: .utf8)
        return (path + ".both", path + ".public", path)
    }

    func repository(
        name: String = "models",
        url: String? = nil,
        _ change: (inout GitRepositoryConfiguration) -> Void = { _ in }
    ) -> GitRepository {
        var configuration = GitRepositoryConfiguration(name: name, url: url ?? "file://" + self.remote)
        change(&configuration)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return GitRepository(configuration: configuration, storage: self.storage, logger: logger)
    }
}

/// The error that `body` throws.
func sourceError(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async throws -> SourceError {
    do {
        try await body()
    } catch {
        return try #require(error as? SourceError, "\(error)", sourceLocation: sourceLocation)
    }
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    throw CancellationError()
}
