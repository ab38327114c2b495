import LoopbackServer
import Testing
import Transport

@Suite("Redirects", .timeLimit(.minutes(5)))
struct RedirectTests {
    let client = HTTPClient()

    @Test
    func `a redirect to another origin carries nothing that may be a credential`() async throws {
        let target = try LoopbackServer { _ in .text("there") }
        let origin = try LoopbackServer { _ in .text("", status: 302, headers: ["Location": "\(target.url)/b"]) }
        let response = try await self.client.send(
            HTTPRequest(
                url: "http://user:password@127.0.0.1:\(origin.port)/a",
                headers: ["Authorization": "Bearer t", "Private-Token": "t", "Cookie": "t", "Accept": "text/plain"],
                followRedirects: true
            )
        )
        #expect(response.text == "there")
        let request = try #require(target.requests.first)
        #expect(request.target == "/b")
        #expect(Set(request.headers.keys) == ["accept", "host"])
        #expect(origin.requests.first?.headers["authorization"] == "Bearer t")
    }

    @Test
    func `a redirect within an origin keeps its credentials`() async throws {
        let server = try LoopbackServer { request in
            request.target == "/a" ? .text("", status: 307, headers: ["Location": "b"]) : .text(request.method)
        }
        let response = try await self.client.send(
            HTTPRequest(
                method: "POST",
                url: "\(server.url)/a",
                headers: ["Authorization": "Bearer t"],
                body: Array("body".utf8),
                followRedirects: true
            )
        )
        #expect(response.text == "POST")
        #expect(server.requests.last?.target == "/b")
        #expect(server.requests.last?.headers["authorization"] == "Bearer t")
        #expect(server.requests.last?.body == Array("body".utf8))
    }

    @Test
    func `a POST that is answered 303 is followed by a GET`() async throws {
        let server = try LoopbackServer { request in
            request.target == "/a" ? .text("", status: 303, headers: ["Location": "/b"]) : .text(request.method)
        }
        let response = try await self.client.send(
            HTTPRequest(method: "POST", url: "\(server.url)/a", body: [1], followRedirects: true)
        )
        #expect(response.text == "GET")
        #expect(server.requests.last?.body.isEmpty == true)
    }

    @Test(arguments: ["file:///etc/passwd", "ftp://127.0.0.1/x", "dict://127.0.0.1/"])
    func `a redirect to another scheme is refused`(location: String) async throws {
        let server = try LoopbackServer { _ in .text("", status: 302, headers: ["Location": location]) }
        await #expect(throws: TransportError.self) {
            try await self.client.send(HTTPRequest(url: server.url, followRedirects: true))
        }
    }

    @Test
    func `a circle of redirects ends`() async throws {
        let server = try LoopbackServer { _ in .text("", status: 302, headers: ["Location": "/again"]) }
        let error = await #expect(throws: TransportError.self) {
            try await self.client.send(HTTPRequest(url: server.url, followRedirects: true))
        }
        #expect(error?.code == .protocolError)
        #expect(server.requests.count == 6)
    }
}
