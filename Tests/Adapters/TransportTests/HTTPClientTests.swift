import Foundation
import LoopbackServer
import Testing
import Transport

@Suite("HTTPClient", .timeLimit(.minutes(5)))
struct HTTPClientTests {
    let client = HTTPClient()

    /// The error of a request that must fail.
    private func failure(
        of request: HTTPRequest,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> TransportError {
        do {
            let response = try await self.client.send(request)
            Issue.record("got \(response.status)", sourceLocation: sourceLocation)
            throw CancellationError()
        } catch let error as TransportError {
            return error
        }
    }

    @Test
    func `an answer has its status, fields and body`() async throws {
        let server = try LoopbackServer { request in
            .text("\(request.method) \(request.target) \(request.headers["x-note"] ?? "")", headers: ["X-Track": " b "])
        }
        let response = try await self.client.send(
            HTTPRequest(url: "\(server.url)/a?b=c", headers: ["X-Note": "hello"])
        )
        #expect(response.status == 200)
        #expect(response.text == "GET /a?b=c hello")
        #expect(response.headers["x-tRACK"] == "b")
    }

    @Test(arguments: ["POST", "PUT", "DELETE"])
    func `a body is sent as it is`(method: String) async throws {
        let server = try LoopbackServer { request in
            .status(
                201,
                headers: ["Seen": "\(request.method) \(request.headers["content-type"] ?? "none")"],
                body: request.body
            )
        }
        for body in [[], Array("a=b".utf8), [UInt8](repeating: 0, count: 3 << 20)] {
            let response = try await self.client.send(
                HTTPRequest(method: method, url: server.url, headers: ["Content-Type": "application/json"], body: body)
            )
            #expect(response.body == body)
            #expect(response.headers["seen"] == "\(method) application/json")
        }
    }

    @Test(arguments: [false, true])
    func `a request whose answer is lost on a used connection is not sent again where that is wanted`(
        isNeverRepeated: Bool
    ) async throws {
        let server = try LoopbackServer { $0.method == "GET" ? .text("") : .raw([]) }
        _ = try await self.client.send(HTTPRequest(url: server.url))
        var request = HTTPRequest(method: "POST", url: server.url, body: Array("a".utf8))
        request.isNeverRepeated = isNeverRepeated
        let error = try await self.failure(of: request)
        #expect(error.code == .interrupted)
        // What libcurl does by itself is why there is a choice.
        #expect(server.requests.count { $0.method == "POST" } == (isNeverRepeated ? 1 : 2))
    }

    @Test
    func `HEAD does not wait for a body`() async throws {
        let server = try LoopbackServer { _ in .text("0123456789") }
        let response = try await self.client.send(HTTPRequest(method: "HEAD", url: server.url))
        #expect(response.headers["content-length"] == "10")
        #expect(response.body.isEmpty)
    }

    @Test(arguments: [404, 500, 302])
    func `a status is an answer, not an error`(status: Int) async throws {
        let server = try LoopbackServer { _ in .text("no", status: status, headers: ["Location": "/elsewhere"]) }
        let response = try await self.client.send(HTTPRequest(url: server.url))
        #expect(response.status == status)
        #expect(response.text == "no")
    }

    @Test
    func `requests one after another share a connection`() async throws {
        let server = try LoopbackServer { _ in .text("ok") }
        for _ in 0..<5 {
            _ = try await self.client.send(HTTPRequest(url: server.url))
        }
        #expect(Set(server.requests.map(\.connection)).count == 1)
    }

    @Test
    func `many requests run at once`() async throws {
        let server = try LoopbackServer { request in .text(request.target) }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask {
                    let response = try await self.client.send(HTTPRequest(url: "\(server.url)/\(number)"))
                    return response.text == "/\(number)"
                }
            }
            for try await isRight in group {
                #expect(isRight)
            }
        }
    }

    @Test
    func `a silent server times out`() async throws {
        let server = try LoopbackServer { _ in .silence }
        let error = try await self.failure(
            of: HTTPRequest(url: "http://me:pa55@127.0.0.1:\(server.port)/p?token=s3cret", timeout: .milliseconds(200))
        )
        #expect(error.code == .timedOut)
        #expect(error.recovery == .retry)
        #expect(error.message.contains("http://127.0.0.1:\(server.port)/p"))
        #expect(!error.message.contains("s3cret"))
        #expect(!error.message.contains("pa55"))
    }

    @Test
    func `a port where nobody listens is unreachable`() async throws {
        let server = try LoopbackServer { _ in .silence }
        server.stop()
        let error = try await self.failure(of: HTTPRequest(url: server.url))
        #expect(error.code == .unreachable)
    }

    @Test
    func `a connection that ends early is no shortened answer`() async throws {
        let server = try LoopbackServer { _ in .truncated(200, body: Array("half".utf8), length: 8) }
        let error = try await self.failure(of: HTTPRequest(url: server.url))
        #expect(error.code == .interrupted)
    }

    @Test
    func `what is not HTTP is a protocol error`() async throws {
        let server = try LoopbackServer { _ in .raw(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)) }
        let error = try await self.failure(of: HTTPRequest(url: server.url))
        #expect(error.code == .protocolError)
    }

    @Test
    func `an answer over the limit is refused whether its length is announced or not`() async throws {
        let body = [UInt8](repeating: 65, count: 1001)
        let announced = try LoopbackServer { _ in .status(200, body: body) }
        let unannounced = try LoopbackServer { _ in .raw(Array("HTTP/1.1 200 OK\r\n\r\n".utf8) + body) }
        for server in [announced, unannounced] {
            let error = try await self.failure(of: HTTPRequest(url: server.url, maxResponseBytes: 1000))
            #expect(error.code == .tooLarge)
            #expect(error.message.contains("1000 bytes"))
            let response = try await self.client.send(HTTPRequest(url: server.url, maxResponseBytes: 1001))
            #expect(response.body == body)
        }
    }

    @Test
    func `endless header fields end the transfer`() async throws {
        let line = "X-Filler: \(String(repeating: "a", count: 1000))\r\n"
        let server = try LoopbackServer { _ in
            .raw(Array("HTTP/1.1 200 OK\r\n\(String(repeating: line, count: 400))\r\n".utf8))
        }
        let error = try await self.failure(of: HTTPRequest(url: server.url))
        #expect(error.code == .tooLarge)
    }

    @Test
    func `cancelling the task ends the transfer`() async throws {
        let server = try LoopbackServer { _ in .silence }
        let client = self.client
        let outcome = await withTaskGroup(of: TransportError?.self) { group in
            group.addTask {
                do throws(TransportError) {
                    _ = try await client.send(HTTPRequest(url: server.url, timeout: .seconds(600)))
                    return nil
                } catch {
                    return error
                }
            }
            await server.untilAsked(1)
            group.cancelAll()
            return await group.next() ?? nil
        }
        #expect(outcome?.code == .cancelled)
    }

    @Test
    func `a task cancelled beforehand asks nothing`() async throws {
        let server = try LoopbackServer { _ in .text("ok") }
        let client = self.client
        let outcome = await withTaskGroup(of: TransportError?.self) { group in
            group.cancelAll()
            group.addTask {
                do throws(TransportError) {
                    _ = try await client.send(HTTPRequest(url: server.url))
                    return nil
                } catch {
                    return error
                }
            }
            return await group.next() ?? nil
        }
        #expect(outcome?.code == .cancelled)
        #expect(server.requests.isEmpty)
        let response = try await self.client.send(HTTPRequest(url: server.url))
        #expect(response.status == 200)
    }

    @Test
    func `closing ends what is in flight and refuses what comes after`() async throws {
        let server = try LoopbackServer { _ in .silence }
        let client = self.client
        let codes = await withTaskGroup(of: TransportError.Code?.self) { group in
            for _ in 0..<10 {
                group.addTask {
                    do throws(TransportError) {
                        _ = try await client.send(HTTPRequest(url: server.url, timeout: .seconds(600)))
                        return nil
                    } catch {
                        return error.code
                    }
                }
            }
            await server.untilAsked(10)
            client.close()
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes == Array(repeating: .cancelled, count: 10))
        let error = try await self.failure(of: HTTPRequest(url: server.url))
        #expect(error == TransportError(code: .cancelled, message: error.message, recovery: .needsOperator))
    }

    @Test
    func `a socket of the file system answers`() async throws {
        let path = NSTemporaryDirectory() + "http-\(UUID().uuidString.prefix(8)).sock"
        defer { unlink(path) }
        let server = try LoopbackServer(unixSocket: path) { request in
            .text("\(request.target) for \(request.headers["host"] ?? "")")
        }
        let response = try await self.client.send(HTTPRequest(url: "http://envoy/stats", unixSocket: path))
        #expect(response.text == "/stats for envoy")
        server.stop()
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://x", "", "/path", "http://a b/", "http://"])
    func `only absolute http and https URLs are asked`(url: String) async throws {
        let error = try await self.failure(of: HTTPRequest(url: url))
        #expect(error.code == .invalidRequest)
        #expect(error.recovery == .needsOperator)
    }

    @Test
    func `a header field cannot smuggle another one in`() async throws {
        let server = try LoopbackServer { _ in .text("ok") }
        for headers: HTTPHeaders in [["X-A": "1\r\nX-B: 2"], ["X-A: 1\r\nX-B": "2"], ["": "1"]] {
            let error = try await self.failure(of: HTTPRequest(url: server.url, headers: headers))
            #expect(error.code == .invalidRequest)
        }
        let error = try await self.failure(
            of: HTTPRequest(method: "GET / HTTP/1.1\r\nX: y\r\n\r\nGET", url: server.url)
        )
        #expect(error.code == .invalidRequest)
        #expect(server.requests.isEmpty)
    }
}
