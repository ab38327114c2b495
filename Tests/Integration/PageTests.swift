import ControllerAPI
import Foundation
import Glibc
import Testing
import Transport

extension IntegrationTests {
    @Test
    func `the page of a running controller opens on this machine, and its form acts`() async throws {
        try await Sandbox.run { sandbox in
            try await sandbox.startController()
            try await sandbox.merge(Release(version: "1"))
            try await sandbox.serves("1")
            let output = "\(sandbox.folder)/open.log"
            let arguments = ["open", "--socket", sandbox.socket]
            let open = try sandbox.start(try Machine.controller(), arguments, output: output)
            var door: String?
            try await sandbox.until("the address is printed") {
                let said = try String(contentsOfFile: output, encoding: .utf8)
                door = said.firstMatch(of: /http:\/\/127\.0\.0\.1:[0-9]+\/open\/[0-9a-f]{64}/).map { String($0.output) }
                return door != nil
            }
            let client = HTTPClient()
            defer { client.close() }
            let opened = try await client.send(HTTPRequest(url: try #require(door)))
            let cookie = String(try #require(opened.headers["Set-Cookie"]).prefix { $0 != ";" })
            let base = try #require(door?.firstMatch(of: /^http:\/\/[^\/]+/)).output
            let path = "\(base)/deployments/default/\(Sandbox.name)"
            let page = try await client.send(HTTPRequest(url: path, headers: ["Cookie": cookie])).text
            #expect(page.contains("What you can do"), "\(page)")
            func field(_ name: String) throws -> String {
                let start = try #require(page.range(of: "name=\"\(name)\" value=\"")).upperBound
                let value = String(page[start...].prefix { $0 != "\"" })
                return value.replacing("+", with: "%2B").replacing("=", with: "%3D")
            }
            let form = "csrf=\(try field("csrf"))&seen=\(try field("seen"))&verb=pause&for=30m&why=from+the+page"
            let answer = try await client.send(
                HTTPRequest(
                    method: "POST",
                    url: "\(path)/commands",
                    headers: ["Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"],
                    body: Array(form.utf8)
                )
            )
            #expect(answer.status == 303, "\(answer.text)")
            try await sandbox.until("the deployment is paused") {
                await sandbox.status()?.holds.contains { $0.kind == "paused" && $0.why == "from the page" } == true
            }
            kill(open.processIdentifier, SIGTERM)
            try await sandbox.until("`controller open` ends") { !open.isRunning }
            #expect(open.terminationStatus == 0)
        }
    }
}
