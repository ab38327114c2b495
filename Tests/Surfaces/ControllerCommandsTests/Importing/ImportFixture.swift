import ControllerCommands
import Foundation
import Testing

/// Runs `controller import` on files of its own folder.
struct ImportFixture {
    let commands: CommandFixture

    init() throws {
        self.commands = try CommandFixture()
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static let runtimes = Self.root.appending(path: "manifests/runtimes").path

    static let inputs = ["kserve", "argo", "flagger"]

    static func input(_ name: String) throws -> String {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try String(contentsOf: folder.appending(path: "Golden/import/\(name).yaml"), encoding: .utf8)
    }

    func path(_ name: String) -> String { self.commands.folder.appending(path: name).path }

    func write(_ text: String, as name: String) throws {
        let file = self.commands.folder.appending(path: name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
    }

    /// Imports the files named, as they are called in the folder, with the folder's own name cut off from what is said.
    func run(_ names: [String], _ more: String...) async -> Run {
        let paths = names.map { $0 == "-" ? $0 : self.path($0) }
        var run = await self.commands.run(["import"] + paths + ["--runtimes", Self.runtimes] + more)
        let folder = self.commands.folder.path + "/"
        run.output = run.output.replacingOccurrences(of: folder, with: "")
        run.remarks = run.remarks.replacingOccurrences(of: folder, with: "")
        return run
    }

    /// Imports one text.
    func run(on text: String, _ more: String...) async throws -> Run {
        try self.write(text, as: "in.yaml")
        let path = self.path("in.yaml")
        var run = await self.commands.run(["import", path, "--runtimes", Self.runtimes] + more)
        run.output = run.output.replacingOccurrences(of: path, with: "in.yaml")
        run.remarks = run.remarks.replacingOccurrences(of: path, with: "in.yaml")
        return run
    }

    /// The report, of one text.
    func report(on text: String) async throws -> Report {
        let run = try await self.run(on: text, "--output", "json")
        return try JSONDecoder().decode(Report.self, from: Data(run.output.utf8))
    }

    struct Report: Decodable, Hashable {
        struct Manifest: Decodable, Hashable { var kind: String, name: String, namespace: String?, yaml: String }
        struct Finding: Decodable, Hashable {
            var outcome: String, path: String, line: Int, column: Int, field: String, message: String
        }
        struct Field: Decodable, Hashable { var line: Int, field: String }
        var manifests: [Manifest], findings: [Finding], ignored: [String: Int], meaningless: [Field]

        /// Whether the field of the document in these lines, or a branch that it is in, is told of.
        func tells(of field: String, in lines: ClosedRange<Int>) -> Bool {
            let told = self.findings.map { ($0.line, $0.field) } + self.meaningless.map { ($0.line, $0.field) }
            return told.contains { line, known in
                guard lines.contains(line), !known.isEmpty, field.hasPrefix(known) else { return false }
                let next = field.dropFirst(known.count).first
                return next == nil || next == "." || next == "["
            }
        }
    }
}
