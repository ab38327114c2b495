import ControllerAPI
import Deployments
import Foundation
import SampleStatuses
import Synchronization
import Testing

/// The pages in a real Chromium.
@Suite("The page in a browser", .serialized)
struct PageBrowserTests {
    static func address(_ fixture: PageFixture) throws -> String {
        try #require(try fixture.door.firstMatch(of: /^http:\/\/[^\/]+/)).0.description
    }

    static let pages =
        ["/", "/?state=held", "/events", "/deployments/search/gone"]
        + Statuses.fleet.deployments.map { "/deployments/search/\($0.name)" }

    @Test
    func `a script in any field of a manifest is inert`() async throws {
        try await PageFixture.serving { fixture in
            try fixture.replace(with: Statuses.attack)
            try await Browser.run { browser in
                try await browser.open(try fixture.door)
                let address = try Self.address(fixture)
                // Without the policy that would stop it, too: nothing is there to be stopped.
                for bypass in [false, true] {
                    try await browser.command("Page.setBypassCSP", ["enabled": bypass])
                    for page in ["/", "/events", "/deployments/search/file-type"] {
                        try await browser.open(address + page)
                        let text: String = try await browser.value("return document.body.textContent")
                        #expect(text.contains("<script>window.owned=1</script>"), "\(page)")
                        let found: [String] = try await browser.value(Self.findings)
                        #expect(found == [], "\(page)")
                    }
                }
            }
        }
    }

    /// What a script of a manifest would leave behind; every element is pointed at and focused first.
    private static let findings = """
        const found = [];
        for (const element of document.querySelectorAll("*")) {
          element.dispatchEvent(new MouseEvent("mouseover", { bubbles: true }));
          if (element.focus) element.focus();
          for (const { name, value } of element.attributes) {
            if (name.startsWith("on") || name === "autofocus" || /^\\s*javascript:/i.test(value)
              || /[^a-z0-9:-]/i.test(name)) found.push(`${element.tagName} ${name}`);
          }
        }
        for (const script of document.scripts) if (!/\\/assets\\/page-[0-9a-f]{16}\\.js$/.test(script.src)) found.push("script");
        for (const other of document.querySelectorAll("img, iframe, object, embed, base, style, textarea")) {
          found.push(other.tagName);
        }
        if (window.owned !== undefined) found.push("it ran");
        return found;
        """

    @Test
    func `what changes shows by itself, and what somebody does meanwhile stays`() async throws {
        try await PageFixture.serving { fixture in
            try await Browser.run { browser in
                try await browser.open(try fixture.door)
                try await browser.open(try Self.address(fixture) + "/deployments/search/mid-canary")
                // Half-way through a reason, with the form unfolded.
                let prepared = """
                    window.marker = 1;
                    const choice = document.querySelector("#choice-pause details");
                    choice.open = true;
                    const why = document.getElementById("why-pause");
                    why.focus(); why.value = "half a rea";
                    document.querySelector(".chart details").open = true;
                    return true;
                    """
                #expect(try await browser.value(prepared, as: Bool.self))
                fixture.change("mid-canary") { status in
                    status.message = "all is different now"
                    status.canary?.weight = 26
                    status.steps[1].state = .done
                    status.steps[2].state = .current
                }
                try await browser.wait(
                    until: "return document.getElementById('verdict').textContent === 'all is different now'"
                )
                let kept = """
                    const why = document.getElementById("why-pause");
                    return window.marker === 1 && document.querySelector("#choice-pause details").open
                      && document.activeElement === why && why.value === "half a rea"
                      && document.querySelector(".chart details").open
                      && document.querySelector(".step.current").textContent.includes("approval");
                    """
                #expect(try await browser.value(kept, as: Bool.self))
                // The form still speaks of what was seen when it was begun, and is refused.
                let sent = "document.querySelector('#choice-pause button').click(); return true"
                #expect(try await browser.value(sent, as: Bool.self))
                try await browser.wait(until: "return document.getElementById('answer') !== null")
                let answer: String = try await browser.value("return document.getElementById('answer').textContent")
                #expect(answer.contains("the rollout has gone on since you saw it"))
                #expect(fixture.recorded.isEmpty)
            }
        }
    }

    @Test
    func `a command can be given with the keyboard alone`() async throws {
        try await PageFixture.serving { fixture in
            try await Browser.run { browser in
                try await browser.open(try fixture.door)
                try await browser.open(try Self.address(fixture) + "/deployments/search/mid-canary")
                // On to the summary of the pause, as a reader who tabs through would come to it.
                let isThere = """
                    const at = document.activeElement;
                    return at.tagName === "SUMMARY" && at.closest("li")?.id === "choice-pause";
                    """
                var presses = 0
                while try await !browser.value(isThere, as: Bool.self) {
                    try await browser.press(Browser.tab)
                    presses += 1
                    try #require(presses < 40)
                }
                try await browser.press(Browser.enter)
                try await browser.press(Browser.tab + Browser.tab)
                try await browser.press("night")
                try await browser.press(Browser.enter)
                try await browser.wait(until: "return document.getElementById('answer') !== null")
                let answer: String = try await browser.value("return document.getElementById('answer').textContent")
                #expect(answer == "Done: pause is done")
                let (id, request) = try #require(fixture.recorded.first)
                #expect(id.description == "search/mid-canary")
                #expect(request.verb == .pause)
                #expect(request.why == "night")
                #expect(request.until != nil)
                #expect(!request.by.isEmpty)
            }
        }
    }

    @Test
    func `nothing is wider than a phone, and axe finds nothing that keeps people out, light or dark`() async throws {
        let axe = try await Self.axe()
        try await PageFixture.serving { fixture in
            try await Browser.run { browser in
                try await browser.open(try fixture.door)
                let address = try Self.address(fixture)
                // The rules are there and find something where something is wrong.
                try await browser.open(address + "/")
                let spoiled = "document.querySelector('label[for=q]').remove(); return true"
                #expect(try await browser.value(spoiled, as: Bool.self))
                #expect(try await Self.violations(axe, browser).contains { $0.hasPrefix("label: ") })
                let pictures = ProcessInfo.processInfo.environment["PAGE_PICTURES"]
                for (width, isDark) in [(1280, false), (390, false), (800, true), (390, true), (1280, true)] {
                    try await browser.prefer(dark: isDark)
                    for page in Self.pages {
                        try await browser.resize(width: width, height: 900, isPhone: width < 500)
                        try await browser.open(address + page)
                        let name = "\(page) at \(width)\(isDark ? " dark" : "")"
                        let excess: Int = try await browser.value(
                            "return document.documentElement.scrollWidth - innerWidth"
                        )
                        #expect(excess <= 0, "\(name)")
                        if let pictures {
                            let file = page.replacing("/", with: "_").replacing("?", with: "_")
                            try await browser.picture(of: "\(pictures)/\(width)\(isDark ? "-dark" : "")\(file).png")
                        }
                        // At 800 all are looked at, unfolded; a second look at each width would tell no more.
                        if width == 800 || width == 390 && page == Self.pages[8] || width == 1280 && !isDark {
                            #expect(try await Self.violations(axe, browser) == [], "\(name)")
                        }
                    }
                }
            }
        }
    }

    /// axe-core's rules of WCAG 2.2 at level AA and its best practices.
    private static func violations(_ axe: String, _ browser: Browser) async throws -> [String] {
        try await browser.later(
            axe + """
                ;const done = arguments[arguments.length - 1];
                for (const part of document.querySelectorAll("details")) { part.removeAttribute("name"); part.open = true; }
                axe.run().then((result) => done(result.violations.flatMap((rule) =>
                  rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`))),
                  (error) => done([String(error)]));
                """
        )
    }

    private static func axe() async throws -> String {
        let (status, said) = try await Tool.run(
            "python3",
            ["-c", "import axe_core_python, pathlib; print(pathlib.Path(axe_core_python.__file__).parent)"]
        )
        try #require(status == 0, "\(said)")
        let folder = said.trimmingCharacters(in: .whitespacesAndNewlines)
        return try String(contentsOfFile: "\(folder)/axe.min.js", encoding: .utf8)
    }

    @Test
    func `without JavaScript all is there, and forms work`() async throws {
        try await PageFixture.serving { fixture in
            try await Browser.run { browser in
                try await browser.open(try fixture.door)
                try await browser.command("Emulation.setScriptExecutionDisabled", ["value": true])
                try await browser.open(try Self.address(fixture) + "/deployments/search/gate-holds")
                let text: String = try await browser.value("return document.body.innerText")
                #expect(text.contains("A gate failed: gate latency failed, and its manifest says to hold"))
                #expect(text.contains("reload the page to see what is new"))
                let sent = """
                    document.querySelector("#choice-abort details").open = true;
                    document.getElementById("why-abort").value = "too slow";
                    document.querySelector("#choice-abort button").click();
                    return true;
                    """
                #expect(try await browser.value(sent, as: Bool.self))
                try await browser.wait(until: "return document.getElementById('answer') !== null")
                #expect(fixture.recorded.map(\.1.verb) == [.abort])
            }
        }
    }

    @Test
    func `a controller that does not answer is seen on an open page`() async throws {
        try await PageFixture.serving { fixture in
            try await Browser.run { browser in
                try await browser.open(try fixture.door)
                try await browser.open(try Self.address(fixture) + "/")
                try await browser.wait(until: "return document.getElementById('live').textContent.startsWith('Live')")
                fixture.isGone.store(true, ordering: .relaxed)
                try await browser.wait(
                    until: "return document.getElementById('live').textContent.startsWith('Not live since')"
                )
                #expect(try await browser.value("return document.querySelectorAll('.row').length", as: Int.self) == 12)
                fixture.isGone.store(false, ordering: .relaxed)
                try await browser.wait(until: "return document.getElementById('live').textContent.startsWith('Live')")
            }
        }
    }
}
