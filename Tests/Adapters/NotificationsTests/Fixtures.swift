import Deployments
import Foundation
import LoopbackServer
import Notifications
import Reconciliation
import Testing
import Transport

/// What the tests of all kinds of receivers need.
enum Fixtures {
    static let time = Timestamp(milliseconds: 1_780_000_000_000)

    static func notice(
        _ kind: String = "rolled-back",
        severity: Notice.Severity = .critical,
        of name: String = "file-type",
        in namespace: String = "search",
        message: String = "gate errors failed: canary 2.1 %",
        subject: String = "Serve magika 3.4",
        commit: String = "1eabc9a4c0ffee00c0ffee00c0ffee00c0ffee00",
        by: String? = nil
    ) -> Notice {
        Notice(
            id: "\(namespace)/\(name)/\(kind)/1/\(message)",
            kind: kind,
            severity: severity,
            time: Self.time,
            deployment: DeploymentID(namespace: namespace, name: name),
            labels: ["team": "search"],
            message: message,
            by: by,
            revision: Revision(digest: String(repeating: "5f", count: 32)),
            model: Notice.Model(name: "magika", version: "3.4", uri: "models:/magika/4"),
            commit: CommitReference(
                repository: "models",
                branch: "main",
                commit: commit,
                path: "deployments/file-type.yaml",
                subject: subject,
                author: "Ada"
            )
        )
    }

    /// The one receiver of a configuration, and its client for as long as it is needed.
    static func receivers(_ kind: ReceiverConfiguration.Kind, caFile: String? = nil, timeout: Duration = .seconds(60))
        -> Receivers
    {
        let configuration = ReceiverConfiguration(
            name: "chat",
            kind: kind,
            caFile: caFile,
            timeout: timeout,
            source: "/controller/prod"
        )
        return Receivers([configuration], routes: NoticeRoutes(), client: Self.client, now: { Self.time })
    }

    private static let client = HTTPClient()

    /// Why a message was not sent.
    static func failure(of notifier: any Notifier, _ message: NoticeMessage) async -> NotificationError? {
        do throws(NotificationError) {
            _ = try await notifier.send(message)
            return nil
        } catch {
            return error
        }
    }

    static func inFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let folder = FileManager.default.temporaryDirectory.appending(path: "notify-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        // What stays behind is in the temporary folder.
        defer { try? FileManager.default.removeItem(at: folder) }
        return try await body(folder.path)
    }

    static func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(filePath: path))
    }

    static func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    // MARK: - Programs

    /// Runs a program while `body` does. Its output goes into a file, its complaints into one beside it (`.errors`).
    static func running<Value>(
        _ arguments: [String],
        output: String,
        _ body: (Process) async throws -> Value
    ) async throws -> Value {
        try Self.write("", to: output)
        try Self.write("", to: "\(output).errors")
        let file = try #require(FileHandle(forWritingAtPath: output))
        let errors = try #require(FileHandle(forWritingAtPath: "\(output).errors"))
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = file
        process.standardError = errors
        try process.run()
        defer {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        return try await body(process)
    }

    /// Polls a condition; a test's time limit and this deadline end it.
    static func until(_ what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(240)
        while try await !condition() {
            try #require(ContinuousClock.now < deadline, "\(what)")
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}
