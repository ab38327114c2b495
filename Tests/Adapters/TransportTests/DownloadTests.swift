import Foundation
import LoopbackServer
import Synchronization
import Testing
import Transport

@Suite("Downloads", .timeLimit(.minutes(5)))
final class DownloadTests {
    let client = HTTPClient()
    let path = NSTemporaryDirectory() + "download-\(UUID().uuidString)"
    static let content = [UInt8]((0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) })

    deinit {
        unlink(self.path)
    }

    private func fileBytes() throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: self.path)))
    }

    /// Answers ranges as a file server does.
    private static func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Answer {
        guard let range = request.headers["range"], let start = Int(range.dropFirst(6).dropLast()) else {
            return .status(200, headers: ["ETag": "\"1\""], body: Self.content)
        }
        if let tag = request.headers["if-range"], tag != "\"1\"" {
            return .status(200, body: Self.content)
        }
        let end = Self.content.count - 1
        return .status(
            206,
            headers: ["Content-Range": "bytes \(start)-\(end)/\(Self.content.count)"],
            body: Array(Self.content[start...])
        )
    }

    @Test
    func `a download fills its file and tells its progress`() async throws {
        let server = try LoopbackServer(handler: Self.answer)
        let progress = Mutex<[(Int64, Int64?)]>([])
        let tag = Mutex<String?>(nil)
        let response = try await self.client.download(
            HTTPRequest(url: server.url),
            toFile: self.path,
            started: { answer in tag.withLock { $0 = answer.headers["ETag"] } },
            progress: { received, total in progress.withLock { $0.append((received, total)) } }
        )
        #expect(response.status == 200)
        #expect(response.body.isEmpty)
        #expect(try self.fileBytes() == Self.content)
        let last = progress.withLock { $0.last }
        #expect(last?.0 == 100_000)
        #expect(last?.1 == 100_000)
        #expect(tag.withLock { $0 } == "\"1\"")
    }

    @Test
    func `an interrupted download goes on where it stopped`() async throws {
        let server = try LoopbackServer { request in
            request.headers["range"] == nil
                ? .truncated(200, body: Array(Self.content[..<30_000]), length: Self.content.count)
                : Self.answer(request)
        }
        let error = await #expect(throws: TransportError.self) {
            try await self.client.download(HTTPRequest(url: server.url), toFile: self.path)
        }
        #expect(error?.code == .interrupted)
        #expect(try self.fileBytes() == Array(Self.content[..<30_000]))

        let response = try await self.client.download(
            HTTPRequest(url: server.url, headers: ["If-Range": "\"1\""]),
            toFile: self.path,
            resumingAt: 30_000
        )
        #expect(response.status == 206)
        #expect(server.requests.last?.headers["range"] == "bytes=30000-")
        #expect(try self.fileBytes() == Self.content)
    }

    @Test
    func `a changed file is downloaded from its start`() async throws {
        try Data(repeating: 9, count: 200_000).write(to: URL(filePath: self.path))
        let server = try LoopbackServer(handler: Self.answer)
        let response = try await self.client.download(
            HTTPRequest(url: server.url, headers: ["If-Range": "\"0\""]),
            toFile: self.path,
            resumingAt: 50_000
        )
        #expect(response.status == 200)
        #expect(try self.fileBytes() == Self.content)
    }

    @Test
    func `another range than the one asked for is refused`() async throws {
        let server = try LoopbackServer { _ in
            .status(206, headers: ["Content-Range": "bytes 5-9/10"], body: [1, 2, 3, 4, 5])
        }
        try Data([0, 0, 0]).write(to: URL(filePath: self.path))
        let error = await #expect(throws: TransportError.self) {
            try await self.client.download(HTTPRequest(url: server.url), toFile: self.path, resumingAt: 3)
        }
        #expect(error?.code == .protocolError)
        #expect(try self.fileBytes() == [0, 0, 0])
    }

    @Test
    func `the page of an error does not become the file`() async throws {
        let server = try LoopbackServer { _ in .text("not here", status: 404) }
        let response = try await self.client.download(HTTPRequest(url: server.url), toFile: self.path)
        #expect(response.status == 404)
        #expect(!FileManager.default.fileExists(atPath: self.path))
    }

    @Test
    func `an empty file is a file`() async throws {
        let server = try LoopbackServer { _ in .status(200) }
        _ = try await self.client.download(HTTPRequest(url: server.url), toFile: self.path)
        #expect(try self.fileBytes().isEmpty)
    }

    @Test
    func `a download over the limit is refused before it fills the disk`() async throws {
        let server = try LoopbackServer(handler: Self.answer)
        let error = await #expect(throws: TransportError.self) {
            try await self.client.download(HTTPRequest(url: server.url, maxResponseBytes: 99_999), toFile: self.path)
        }
        #expect(error?.code == .tooLarge)
        #expect(try self.fileBytes().isEmpty)
    }

    @Test
    func `a full disk is told from other trouble`() async throws {
        let server = try LoopbackServer(handler: Self.answer)
        let full = await #expect(throws: TransportError.self) {
            try await self.client.download(HTTPRequest(url: server.url), toFile: "/dev/full")
        }
        // ftruncate refuses a device before the first write could find it full.
        #expect(full?.code == .storage)
        let missing = await #expect(throws: TransportError.self) {
            try await self.client.download(HTTPRequest(url: server.url), toFile: self.path + "/no/such/folder")
        }
        #expect(missing?.code == .storage)
        #expect(missing?.message.contains("/no/such/folder") == true)
    }

    @Test
    func `a symbolic link in the file's place is not followed`() async throws {
        let server = try LoopbackServer(handler: Self.answer)
        let other = self.path + "-other"
        #expect(symlink(other, self.path) == 0)
        await #expect(throws: TransportError.self) {
            try await self.client.download(HTTPRequest(url: server.url), toFile: self.path)
        }
        #expect(!FileManager.default.fileExists(atPath: other))
    }

    @Test
    func `a download that stalls ends`() async throws {
        let server = try LoopbackServer { _ in .silence }
        let error = await #expect(throws: TransportError.self) {
            try await self.client.download(
                HTTPRequest(url: server.url, timeout: .seconds(600), stallTimeout: .seconds(1)),
                toFile: self.path
            )
        }
        #expect(error?.code == .timedOut)
    }
}
