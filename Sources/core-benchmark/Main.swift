import Glibc
import Reconciliation

/// `core-benchmark [DEPLOYMENTS [ROLLOUTS]]`: how long one full tick of a large fleet takes on one core, deciding and
/// planning for every deployment, without I/O. A line a figure, as in the other benchmarks; exits 1 when one falls
/// short. With `git`, `events` or `surface` it is half of another benchmark: see ``GitBenchmark`` and
/// ``SurfaceBenchmark``.
@main
struct Main {
    /// Milliseconds for a tick of 10,000 deployments of which 500 are rolling out.
    private static let limit = 100.0
    /// How much longer a deployment's part of a tick may be in a fleet twice the size: 1 is linear growth. The rest is
    /// left to the processor's caches, which hold less of the larger one.
    private static let growthLimit = 1.25
    private static let ticks = 21

    static func main() async throws {
        if CommandLine.arguments.dropFirst().first == "events" { return try GitBenchmark.printEvents() }
        if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "git" {
            var benchmark = GitBenchmark(url: CommandLine.arguments[2], folder: CommandLine.arguments[3])
            return try await benchmark.run()
        }
        if CommandLine.arguments.count == 5, CommandLine.arguments[1] == "surface",
            let deployments = Int(CommandLine.arguments[2]), let rollouts = Int(CommandLine.arguments[3])
        {
            let socket = CommandLine.arguments[4]
            return try await SurfaceBenchmark(deployments: deployments, rollouts: rollouts, socket: socket).run()
        }
        let arguments = CommandLine.arguments.dropFirst().map { Int($0) }
        guard arguments.count <= 2, arguments.allSatisfy({ $0 ?? 0 > 0 }) else {
            print("usage: core-benchmark [DEPLOYMENTS [ROLLOUTS]], e.g. core-benchmark 10000 500")
            exit(2)
        }
        let deployments = arguments.first.flatMap(\.self) ?? 10_000
        let rollouts = arguments.dropFirst().first.flatMap(\.self) ?? max(1, deployments / 20)
        let tick = try await Self.tick(deployments: deployments, rollouts: rollouts)
        let memory = Self.peakMebibytes
        let snapshot = Self.text(try await Self.snapshot(deployments: deployments, rollouts: rollouts))
        Self.note("\(deployments) deployments: \(snapshot) ms to gather what readers may know")
        let double = try await Self.tick(deployments: 2 * deployments, rollouts: 2 * rollouts)
        let growth = double / tick / 2
        let isInTime = tick < Self.limit
        let isLinear = growth < Self.growthLimit
        print("core-tick \(Self.text(tick))ms \(Self.text(Self.limit))ms \(isInTime ? "ok" : "SHORT")")
        print("core-growth \(Self.text(growth)) \(Self.text(Self.growthLimit)) \(isLinear ? "ok" : "SHORT")")
        print("core-memory \(Self.text(memory))MiB 1000MiB \(memory < 1000 ? "ok" : "SHORT")")
        if !isInTime || !isLinear || memory >= 1000 { exit(1) }
    }

    /// - Returns: The median of some ticks, in milliseconds.
    private static func tick(deployments: Int, rollouts: Int) async throws -> Double {
        var fleet = BenchmarkFleet(deployments: deployments, rollouts: rollouts)
        let judged = try await fleet.prepare()
        guard judged == rollouts else {
            print("error: \(judged) of \(rollouts) rollouts are being judged: nothing to measure")
            exit(2)
        }
        var times: [Double] = []
        for _ in 0..<Self.ticks { times.append(try await fleet.tick() / .milliseconds(1)) }
        times.sort()
        let range = "\(Self.text(times[0])) to \(Self.text(times[times.count - 1]))"
        Self.note("\(deployments) deployments, \(rollouts) rollouts: \(range) ms a tick")
        return times[times.count / 2]
    }

    private static func note(_ text: String) {
        _ = "# \(text)\n".utf8CString.withUnsafeBufferPointer { write(STDERR_FILENO, $0.baseAddress, $0.count - 1) }
    }

    /// - Returns: How long what readers may know takes to be gathered, in milliseconds; the median of some times.
    private static func snapshot(deployments: Int, rollouts: Int) async throws -> Double {
        var fleet = BenchmarkFleet(deployments: deployments, rollouts: rollouts)
        _ = try await fleet.prepare()
        var times: [Double] = []
        for _ in 0..<Self.ticks {
            let start = ContinuousClock.now
            guard fleet.snapshot.deployments.count == deployments else { exit(2) }
            times.append((ContinuousClock.now - start) / .milliseconds(1))
        }
        return times.sorted()[times.count / 2]
    }

    private static var peakMebibytes: Double { Self.status("VmHWM:") }

    static var residentMebibytes: Double { Self.status("VmRSS:") }

    private static func status(_ field: String) -> Double {
        guard let file = fopen("/proc/self/status", "r") else { return 0 }
        defer { fclose(file) }
        var buffer = [CChar](repeating: 0, count: 256)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let line = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            guard line.hasPrefix(field) else { continue }
            return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Double($0) }.map { $0 / 1024 } ?? 0
        }
        return 0
    }

    private static func text(_ value: Double) -> String {
        value >= 100 ? "\(Int(value.rounded()))" : "\((value * 100).rounded() / 100)"
    }
}
