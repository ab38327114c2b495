import Foundation
import Glibc
import Testing
import Transport

/// A real Chromium without a screen, driven by Debian's chromedriver (the WebDriver protocol of the W3C).
final class Browser {
    private let driver: Process
    private let client = HTTPClient()
    private let base: String
    private let session: String
    private let profile: String

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private struct Answer<Value: Decodable>: Decodable {
        var value: Value
    }

    /// For answers that are nothing.
    private struct Nothing: Decodable {
        init(from decoder: any Decoder) throws {}
    }

    private struct Session: Decodable {
        var sessionId: String
    }

    /// Runs `body` with a browser, and ends it however `body` ends.
    static func run(_ body: (Browser) async throws -> Void) async throws {
        let browser = try await Browser()
        do {
            try await body(browser)
        } catch {
            await browser.end()
            throw error
        }
        await browser.end()
    }

    private init() async throws {
        self.profile = "/tmp/page-browser-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: self.profile, withIntermediateDirectories: false)
        let said = "\(self.profile)/driver.log"
        try Data().write(to: URL(filePath: said))
        self.driver = Process()
        self.driver.executableURL = URL(filePath: "/usr/bin/env")
        self.driver.arguments = ["chromedriver", "--port=0"]
        self.driver.environment = ProcessInfo.processInfo.environment.merging(["HOME": self.profile]) { $1 }
        let output = try FileHandle(forWritingTo: URL(filePath: said))
        (self.driver.standardOutput, self.driver.standardError) = (output, output)
        self.driver.standardInput = FileHandle.nullDevice
        try self.driver.run()
        var port: String?
        try await WebhookFixture.poll {
            let text = (try? String(contentsOfFile: said, encoding: .utf8)) ?? ""
            port = text.firstMatch(of: /started successfully on port ([0-9]+)/).map { String($0.1) }
            return port != nil
        }
        self.base = "http://127.0.0.1:\(try #require(port))/session"
        // As root, in a container of a CI: without Chromium's own sandbox, which needs namespaces.
        let arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--user-data-dir=\(self.profile)/data",
        ]
        let options = ["args": arguments]
        let body = try JSONSerialization.data(
            withJSONObject: ["capabilities": ["alwaysMatch": ["goog:chromeOptions": options]]]
        )
        let request = HTTPRequest(method: "POST", url: self.base, body: Array(body), timeout: .seconds(300))
        let response = try await self.client.send(request)
        guard response.isSuccess else { throw Failure(description: response.text) }
        self.session = try JSONDecoder().decode(Answer<Session>.self, from: Data(response.body)).value.sessionId
    }

    private func end() async {
        do { _ = try await self.ask("DELETE", "", [:], as: Nothing.self) } catch { Issue.record("\(error)") }
        self.client.close()
        // Not SIGTERM, which what is started from a test ignores.
        kill(self.driver.processIdentifier, SIGKILL)
        self.driver.waitUntilExit()
        try? FileManager.default.removeItem(atPath: self.profile)
    }

    private func ask<Value: Decodable>(
        _ method: String,
        _ path: String,
        _ body: [String: Any],
        as type: Value.Type
    ) async throws -> Value {
        let data = method == "POST" ? try JSONSerialization.data(withJSONObject: body) : nil
        let request = HTTPRequest(
            method: method,
            url: "\(self.base)/\(self.session)\(path)",
            body: data.map { Array($0) },
            timeout: .seconds(300)
        )
        let response = try await self.client.send(request)
        guard response.isSuccess else { throw Failure(description: "\(path): \(response.text.prefix(600))") }
        return try JSONDecoder().decode(Answer<Value>.self, from: Data(response.body)).value
    }

    func open(_ url: String) async throws {
        _ = try await self.ask("POST", "/url", ["url": url], as: Nothing.self)
    }

    /// What the script returns.
    func value<Value: Decodable>(_ script: String, as type: Value.Type = Value.self) async throws -> Value {
        try await self.ask("POST", "/execute/sync", ["script": script, "args": [Any]()], as: type)
    }

    /// The value that the script hands to its last argument, a function.
    func later<Value: Decodable>(_ script: String, as type: Value.Type = Value.self) async throws -> Value {
        try await self.ask("POST", "/execute/async", ["script": script, "args": [Any]()], as: type)
    }

    /// Presses keys, as hands do on whatever has the focus. Special ones are WebDriver's code points.
    func press(_ keys: String) async throws {
        let actions = keys.map { String($0) }.flatMap { key in
            [["type": "keyDown", "value": key], ["type": "keyUp", "value": key]]
        }
        let body = ["actions": [["type": "key", "id": "keyboard", "actions": actions] as [String: Any]]]
        _ = try await self.ask("POST", "/actions", body, as: Nothing.self)
    }

    static let tab = "\u{E004}"
    static let enter = "\u{E007}"

    /// A command of Chromium's DevTools.
    func command(_ name: String, _ parameters: [String: Any]) async throws {
        _ = try await self.ask("POST", "/goog/cdp/execute", ["cmd": name, "params": parameters], as: Nothing.self)
    }

    func resize(width: Int, height: Int, isPhone: Bool = false) async throws {
        let metrics: [String: Any] = [
            "width": width, "height": height, "deviceScaleFactor": isPhone ? 2 : 1, "mobile": isPhone,
        ]
        try await self.command("Emulation.setDeviceMetricsOverride", metrics)
    }

    func prefer(dark: Bool) async throws {
        let feature = ["name": "prefers-color-scheme", "value": dark ? "dark" : "light"]
        try await self.command("Emulation.setEmulatedMedia", ["features": [feature]])
    }

    /// The whole page as a PNG.
    func picture(of path: String) async throws {
        let size: [Int] = try await self.value(
            "return [innerWidth, Math.min(6000, document.documentElement.scrollHeight)]"
        )
        try await self.resize(width: size[0], height: size[1], isPhone: size[0] < 500)
        let text = try await self.ask("GET", "/screenshot", [:], as: String.self)
        try #require(Data(base64Encoded: text)).write(to: URL(filePath: path))
    }

    /// Waits until the script returns true.
    func wait(until script: String) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while try await !self.value(script, as: Bool.self) {
            guard ContinuousClock.now < deadline else { throw Failure(description: "never: \(script)") }
            try await Task.sleep(for: .milliseconds(50))
        }
    }
}
