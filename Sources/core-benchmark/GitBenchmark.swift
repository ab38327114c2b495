import CYaml
import Deployments
import Git
import Glibc
import Logging
import Manifests
import Reconciliation
import Synchronization

/// `core-benchmark git URL FOLDER`: a fleet that is told by a real repository, one word from standard input at a time.
///
/// `poll` looks at the repository once, reads what is new and decides: it prints the milliseconds of each, how many
/// decisions were made and how many deployments the commit has. `settle` lets time pass until nothing is decided any
/// more, and prints how many looks that took; `look` is one of them, and prints its decisions.
struct GitBenchmark {
    private let world = MemoryWorld()
    private let repository: GitRepository
    private let reading = CommitReading(reader: ManifestReader())
    private let decisions = Decisions()
    private var fleet: Fleet

    private final class Decisions: Sendable {
        let count = Mutex(0)

        func take() -> Int {
            self.count.withLock { count in
                defer { count = 0 }
                return count
            }
        }
    }

    init(url: String, folder: String) {
        let logger = Logger(label: "benchmark") { _ in SwiftLogNoOpLogHandler() }
        let configuration = GitRepositoryConfiguration(name: "models", url: url)
        self.repository = GitRepository(configuration: configuration, storage: folder, logger: logger)
        let (world, decisions) = (self.world, self.decisions)
        var functions = DecisionFunctions()
        functions.listen = { _ in decisions.count.withLock { $0 += 1 } }
        let source = Reconciler.Source(
            port: self.repository,
            branch: "main",
            interval: .seconds(30),
            deletion: DesiredStateTracker.Policy(),
            writesNotes: false
        )
        let ports = Reconciler.Ports(
            sources: [source],
            platform: world,
            router: world,
            artifacts: world,
            providers: [],
            journal: world,
            platformChanges: AsyncStream { $0.finish() },
            now: { world.now }
        )
        self.fleet = Fleet(ports: ports, logger: logger, contents: JournalContents(), functions: functions)
    }

    mutating func run() async throws {
        try await self.look()
        while let word = readLine() {
            switch word {
            case "poll": print(try await self.poll())
            case "settle": print(try await self.settle())
            case "look":
                try await self.look()
                print(self.decisions.take())
            default: print("error: \(word) is neither poll, settle nor look")
            }
            fflush(nil)
        }
    }

    private mutating func poll() async throws -> String {
        let clock = ContinuousClock()
        _ = self.decisions.take()
        let start = clock.now
        let snapshot = try await self.repository.poll()
        let polled = clock.now
        var commit: DesiredCommit?
        if let snapshot {
            commit = await self.reading.read(snapshot)
        }
        let read = clock.now
        await self.fleet.handle(.polled("models", .success(commit)))
        let times = [polled - start, read - polled, clock.now - read].map { "\($0 / .milliseconds(1))" }
        let counts = [self.decisions.take(), commit?.state.deployments.count ?? 0].map { "\($0)" }
        return (times + counts).joined(separator: " ")
    }

    private mutating func settle() async throws -> Int {
        for count in 1...1000 {
            _ = self.decisions.take()
            try await self.look()
            if self.decisions.take() == 0 { return count }
        }
        return 1000
    }

    private mutating func look() async throws {
        self.world.advance(by: .seconds(1))
        let now = self.world.now
        await self.fleet.handle(.platform(.success(try await self.world.replicas()), at: now))
        await self.fleet.handle(.router(.success(try await self.world.observe()), at: now))
        _ = self.fleet.takeErrands()
    }

    // MARK: - The baseline

    /// `core-benchmark events`: the milliseconds that libyaml alone takes for the texts that `git cat-file --batch`
    /// prints.
    static func printEvents() throws {
        var input: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            guard count > 0 else { break }
            input += buffer[..<count]
        }
        var ranges: [Range<Int>] = []
        var index = 0
        while let end = input[index...].firstIndex(of: UInt8(ascii: "\n")) {
            let header = String(decoding: input[index..<end], as: UTF8.self).split(separator: " ")
            guard header.count == 3, let size = Int(header[2]) else { break }
            ranges.append(end + 1..<end + 1 + size)
            index = end + 2 + size
        }
        let start = ContinuousClock.now
        let events = input.withUnsafeBufferPointer { bytes in
            ranges.reduce(0) { $0 + Self.events(in: UnsafeBufferPointer(rebasing: bytes[$1])) }
        }
        print("\((ContinuousClock.now - start) / .milliseconds(1)) \(ranges.count) \(events)")
    }

    private static func events(in text: UnsafeBufferPointer<UInt8>) -> Int {
        var parser = yaml_parser_t()
        return withUnsafeMutablePointer(to: &parser) { parser in
            guard yaml_parser_initialize(parser) == 1 else { return 0 }
            defer { yaml_parser_delete(parser) }
            yaml_parser_set_input_string(parser, text.baseAddress, text.count)
            var count = 0
            var event = yaml_event_t()
            while yaml_parser_parse(parser, &event) == 1 {
                let isEnd = event.type == YAML_STREAM_END_EVENT
                yaml_event_delete(&event)
                count += 1
                if isEnd { break }
            }
            return count
        }
    }
}
