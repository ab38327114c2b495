import ArgumentParser
import ControllerAPI
import ControllerCommands
import Deployments
import Foundation
import Persistence
import Reconciliation
import Transport

/// What is in a support bundle. A part that cannot be had holds why instead: that is when it is wanted most.
struct SupportParts {
    let command: SupportBundleCommand
    let console: Console

    private static let events = 1000
    /// Of the log's end.
    private static let logBytes: UInt64 = 2 << 20
    private static let logLines = 20_000

    /// File names and texts, which may hold secrets still.
    func collect() async -> [(file: String, text: String)] {
        var parts = [("version.txt", self.version())]
        let path = self.command.config
        do throws(ConfigurationError) {
            let bytes = try Configuration.read(path: path)
            parts.append(("configuration.yaml", String(decoding: bytes, as: UTF8.self)))
            let configuration = try Configuration(reading: bytes, path: path, environment: self.console.environment)
            let settings = EffectiveSettings(of: bytes, path: path, environment: self.console.environment)
            parts.append(
                ("settings.txt", settings.values.map { "\($0.setting) = \($0.value)  (\($0.origin))\n" }.joined())
            )
            parts += await self.parts(of: configuration)
        } catch {
            parts.append(("configuration-problems.txt", "\(error)\n"))
        }
        parts.append(("log.txt", self.logText()))
        return parts
    }

    private func parts(of configuration: Configuration) async -> [(String, String)] {
        let client = self.console.connect(.socket(configuration.socket))
        return [
            ("doctor.txt", await self.doctor(configuration)),
            ("fleet.json", await Self.text { () throws(ControllerClientError) in try await client.fleet() }),
            (
                "events.json",
                await Self.text { () throws(ControllerClientError) in try await client.events(limit: Self.events) }
            ),
            ("journal.txt", self.journal(configuration)),
            ("files.txt", Self.files(below: configuration.stateDirectory)),
            ("metrics.txt", await self.metrics(configuration)),
        ]
    }

    private static func text(
        _ read: () async throws(ControllerClientError) -> some Encodable
    ) async -> String {
        do throws(ControllerClientError) {
            let value = try await read()
            // These are the API's own types.
            return (try? JSONText.render(value)) ?? "cannot be written as JSON\n"
        } catch {
            return "\(error.message)\n"
        }
    }

    private func version() -> String {
        let system = try? String(contentsOfFile: "/etc/os-release", encoding: .utf8)  // not every system has one
        let kernel = try? String(contentsOfFile: "/proc/version", encoding: .utf8)
        return """
            controller \(Controller.configuration.version)
            \(self.console.now().formatted(.iso8601)) user \(NSUserName())
            \(kernel ?? "")\(system ?? "")
            """
    }

    private func doctor(_ configuration: Configuration) async -> String {
        let findings = await DoctorCommand.findings(
            of: configuration,
            path: self.command.config,
            offline: self.command.offline,
            console: self.console
        )
        return findings.map { "\($0.level.rawValue)  \($0.subject): \($0.text)\n" }.joined()
    }

    private func journal(_ configuration: Configuration) -> String {
        let copy = FileManager.default.temporaryDirectory.appending(path: "controller-journal-\(UUID().uuidString)")
            .path
        // It holds what people wrote, and is not part of the bundle.
        defer { try? FileManager.default.removeItem(atPath: copy) }
        do throws(JournalError) {
            let summary = try JournalBackup.write(from: "\(configuration.stateDirectory)/journal.sqlite", to: copy)
            let newest = summary.newest?.rfc3339 ?? "never"
            return "\(summary.deployments) deployments, \(summary.events) events, the newest of \(newest), "
                + "\(summary.bytes) bytes; all of it can be read\n"
        } catch {
            return "\(error.message)\n"
        }
    }

    /// Names and sizes, two folders deep.
    private static func files(below folder: String) -> String {
        guard let walk = FileManager.default.enumerator(atPath: folder) else { return "\(folder) cannot be read\n" }
        var lines: [String] = []
        while let name = walk.nextObject() as? String, lines.count < 5000 {
            if walk.level > 3 { continue }
            let size = walk.fileAttributes?[.size] as? Int ?? 0
            lines.append("\(size)\t\(name)\n")
        }
        return lines.joined()
    }

    private func metrics(_ configuration: Configuration) async -> String {
        guard let listen = configuration.metrics?.listen else { return "`metrics.listen` is not set\n" }
        let client = HTTPClient()
        defer { client.close() }
        do {
            let answer = try await client.send(HTTPRequest(url: "http://\(listen)/metrics", timeout: .seconds(10)))
            return String(decoding: answer.body, as: UTF8.self)
        } catch {
            return "\(error)\n"
        }
    }

    private func logText() -> String {
        guard let path = self.command.log else {
            let lines = ["--unit", "controller", "--lines", "\(Self.logLines)", "--no-pager", "--output", "short-iso"]
            do {
                return try Self.run("journalctl", lines).text
            } catch {
                return "\(error); name the log with --log\n"
            }
        }
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? file.close() }  // it was only read
            let end = try file.seekToEnd()
            try file.seek(toOffset: end > Self.logBytes ? end - Self.logBytes : 0)
            return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        } catch {
            return "\(path): \(error.localizedDescription)\n"
        }
    }

    /// Runs a program of the system to its end. Nothing of the arguments reaches a shell.
    static func run(_ program: String, _ arguments: [String]) throws -> (status: Int32, text: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
