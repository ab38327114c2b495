// As in SocketClaim.swift: `stat` may be Dispatch's.
import CDispatch
import ControllerAPI
import ControllerServer
import Foundation
import Glibc
import ServiceLifecycle
import Testing

@Suite("The API's socket")
struct SocketTests {
    let fixture: ServerFixture

    init() throws {
        self.fixture = try ServerFixture()
    }

    @Test
    func `only the owner can open it`() async throws {
        try await self.fixture.serving { _ in
            let (socket, folder) = (try Self.mode(self.fixture.socket), try Self.mode(self.fixture.folder.path))
            #expect(socket == 0o600)
            #expect(folder == 0o700)
        }
    }

    @Test
    func `a missing folder is made for the owner alone`() async throws {
        let fixture = self.fixture
        let folder = fixture.folder.appending(path: "run")
        let socket = folder.appending(path: "c.sock").path
        defer { fixture.remove() }
        try await withThrowingTaskGroup { group in
            let server = fixture.server(socket: socket)
            group.addTask { try await server.run() }
            try await Self.poll { access(socket, F_OK) == 0 }
            let mode = try Self.mode(folder.path)
            #expect(mode == 0o700)
            group.cancelAll()
            while let result = await group.nextResult() { _ = result }
        }
    }

    @Test
    func `a second controller is refused and the first one goes on`() async throws {
        try await self.fixture.serving { client in
            let error = await #expect(throws: ControllerServerError.self) { try await self.fixture.server().run() }
            #expect(error?.code == .alreadyRunning)
            #expect(error?.message.contains("another controller is running") == true)
            let fleet = try await client.fleet()
            #expect(fleet == self.fixture.fleet)
        }
    }

    @Test
    func `somebody else's live socket is not taken over`() async throws {
        defer { self.fixture.remove() }
        let listener = try Self.listen(self.fixture.socket)
        defer { close(listener) }
        let error = await #expect(throws: ControllerServerError.self) { try await self.fixture.server().run() }
        #expect(error?.code == .alreadyRunning)
        #expect(access(self.fixture.socket, F_OK) == 0)
    }

    @Test
    func `the socket of a dead controller is replaced`() async throws {
        // Closed without being removed, as a killed process leaves it.
        close(try Self.listen(self.fixture.socket))
        #expect(access(self.fixture.socket, F_OK) == 0)
        try await self.fixture.serving { client in
            let fleet = try await client.fleet()
            #expect(fleet == self.fixture.fleet)
        }
    }

    @Test
    func `a file that is no socket is left alone`() async throws {
        defer { self.fixture.remove() }
        try Data("precious".utf8).write(to: URL(filePath: self.fixture.socket))
        let error = await #expect(throws: ControllerServerError.self) { try await self.fixture.server().run() }
        #expect(error?.code == .badPath)
        #expect(try String(contentsOfFile: self.fixture.socket, encoding: .utf8) == "precious")
    }

    @Test
    func `a folder that others may enter is refused with the command that mends it`() async throws {
        defer { self.fixture.remove() }
        #expect(chmod(self.fixture.folder.path, 0o755) == 0)
        let error = await #expect(throws: ControllerServerError.self) { try await self.fixture.server().run() }
        #expect(error?.code == .unsafeFolder)
        #expect(error?.message.contains("chmod 700 \(self.fixture.folder.path)") == true)
    }

    @Test
    func `a path too long for a socket is refused before anything is made`() async throws {
        defer { self.fixture.remove() }
        let path = self.fixture.folder.path + "/" + String(repeating: "x", count: 120)
        let error = await #expect(throws: ControllerServerError.self) {
            try await self.fixture.server(socket: path).run()
        }
        #expect(error?.code == .badPath)
    }

    @Test
    func `a graceful shutdown ends the server and removes its socket`() async throws {
        let fixture = self.fixture
        defer { fixture.remove() }
        let server = fixture.server()
        let services = ServiceGroup(services: [server], logger: fixture.silentLogger)
        try await withThrowingTaskGroup { group in
            group.addTask { try await services.run() }
            try await fixture.waitUntilServed()
            await services.triggerGracefulShutdown()
            try await group.waitForAll()
        }
        #expect(access(fixture.socket, F_OK) != 0)
    }

    /// As the daemon is told to end while it starts.
    @Test
    func `a server that is told to end at any moment of its start ends, and leaves no socket`() async throws {
        let fixture = self.fixture
        defer { fixture.remove() }
        for turns in 0..<60 {
            let services = ServiceGroup(services: [fixture.server()], logger: fixture.silentLogger)
            await withTaskGroup { group in
                group.addTask {
                    // Cancelled before it served, it may say so.
                    try? await services.run()
                }
                for _ in 0..<turns * 600 { await Task.yield() }
                if turns % 2 == 0 { group.cancelAll() } else { await services.triggerGracefulShutdown() }
            }
            #expect(access(fixture.socket, F_OK) != 0)
        }
    }

    private static func mode(_ path: String) throws -> mode_t {
        var status = stat()
        try #require(stat(path, &status) == 0)
        return status.st_mode & 0o777
    }

    private static func poll(_ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(300)
        while !condition() {
            try #require(ContinuousClock.now < deadline)
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private static func listen(_ path: String) throws -> Int32 {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0)
        try #require(Glibc.listen(descriptor, 1) == 0)
        return descriptor
    }
}
