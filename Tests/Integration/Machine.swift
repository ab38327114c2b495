import Foundation
import Glibc
import Subprocess
import Testing

/// What these tests find on the machine.
enum Machine {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Fixtures").path

    /// The controller's program, which lies beside the tests' own.
    static func controller() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let candidates = [own] + CommandLine.arguments
        for candidate in candidates where candidate.contains("/.build/") {
            let path = URL(filePath: candidate).deletingLastPathComponent().appending(path: "controller").path
            if FileManager.default.isExecutableFile(atPath: path) { return path }
        }
        throw Missing(description: "no controller beside \(candidates): run `swift build --build-tests`")
    }

    static func envoy() throws -> String {
        if let path = ProcessInfo.processInfo.environment["CONTROLLER_ENVOY"] { return path }
        return try self.resolved("\(Self.root)/.venv/bin/envoy-proxy")
    }

    static func python() throws -> String {
        try self.resolved("\(Self.root)/.venv/bin/python")
    }

    private static func resolved(_ path: String) throws -> String {
        guard let real = realpath(path, nil) else { throw Missing(description: "\(path) is missing: run `make setup`") }
        defer { free(real) }
        return String(cString: real)
    }

    static func program(_ name: String) throws -> String {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":") + ["/usr/bin"]
        let paths = folders.map { "\($0)/\(name)" }
        guard let path = paths.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw Missing(description: "\(name) is missing: run `make setup`")
        }
        return path
    }

    // MARK: - Ports

    /// So many ports in a row that nobody uses, below those that the system gives to outgoing connections.
    static func freePorts(_ count: Int) throws -> ClosedRange<Int> {
        let start = 20_000 + Int(getpid() % 200) * 40
        for first in stride(from: start, to: 31_000, by: count)
        where (first..<(first + count)).allSatisfy(Self.isFree) {
            return first...(first + count - 1)
        }
        throw Missing(description: "there are no \(count) free ports in a row from \(start) on")
    }

    static func isFree(_ port: Int) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    // MARK: - Processes

    struct Ended {
        var status: Int
        var output: String
        var error: String
    }

    /// Runs a program to its end.
    static func run(
        _ program: String,
        _ arguments: [String],
        environment: [String: String],
        at folder: String
    ) async throws -> Ended {
        let pairs = environment.map { (Environment.Key(stringLiteral: $0.key), $0.value) }
        let result = try await Subprocess.run(
            .name("env"),
            arguments: Arguments(["-C", folder, program] + arguments),
            environment: .custom(Dictionary(uniqueKeysWithValues: pairs)),
            output: .string(limit: 4 << 20),
            error: .string(limit: 4 << 20)
        )
        let status =
            switch result.terminationStatus {
            case .exited(let code): Int(code)
            case .signaled(let signal): 128 + Int(signal)
            }
        return Ended(status: status, output: result.standardOutput, error: result.standardError)
    }

    /// The processes that have `folder` in their arguments or environment: those of one sandbox.
    static func processes(of folder: String) -> [(pid: Int32, command: String)] {
        let wanted = Data("\(folder)/".utf8)
        // A process may end between the listing and the reading.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap(Int32.init).sorted().compactMap { pid in
            guard pid != getpid(), let command = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline"),
                !command.isEmpty
            else { return nil }
            let environment = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
            guard command.range(of: wanted) != nil || environment.range(of: wanted) != nil else { return nil }
            return (pid, String(decoding: command, as: UTF8.self).replacing("\0", with: " "))
        }
    }
}
