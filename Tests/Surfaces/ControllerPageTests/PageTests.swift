import ControllerAPI
import ControllerPage
import ControllerWords
import Foundation
import SampleStatuses
import Testing

@Suite("The page")
struct PageTests {
    static let shell = PageShell(viewer: "alice", time: Statuses.now)

    static func page(
        _ status: DeploymentStatus,
        series: SeriesStatus? = nil,
        spec: SpecStatus? = nil,
        token: String? = "token",
        answer: OperatorAnswer? = nil
    ) -> String {
        DeploymentPage(
            status,
            series: series,
            spec: spec,
            forms: token.map { CommandForms(status, may: Set(OperatorRequest.Verb.allCases), token: $0) },
            answer: answer,
            now: Statuses.now
        ).render(Self.shell)
    }

    static func fleet(_ fleet: FleetStatus, _ filter: FleetFilter = FleetFilter()) -> String {
        FleetPage(fleet, filter: filter, now: Statuses.now).render(Self.shell)
    }

    static func escaped(_ text: String) -> String {
        HTML("\(text)").source
    }

    @Test(arguments: Statuses.all.map(\.name) + ["gate-holds", "everything"])
    func `all that explain says of a deployment is on its page, in its words`(name: String) throws {
        let status =
            switch name {
            case "gate-holds": Statuses.gateHolds
            case "everything": Statuses.everything
            default: try #require(Statuses.all.first { $0.name == name }).status
            }
        let page = Self.page(status)
        let explanation = Explanation(status, now: Statuses.now)
        for paragraph in explanation.paragraphs {
            #expect(page.contains(">\(paragraph.title)</h2>"))
            for sentence in paragraph.sentences {
                let words = sentence.hasPrefix("• ") ? String(sentence.dropFirst(2)) : sentence
                #expect(page.contains(Self.escaped(words)), "\(words)")
            }
        }
        for choice in explanation.commands where choice.verb != nil {
            #expect(page.contains(Self.escaped(choice.effect)))
            #expect(page.contains("<code>\(Self.escaped(choice.command))</code>"))
        }
    }

    @Test(arguments: ["<", ">", "&", "\"", "'", "\"\u{301}", "<\u{301}", "'\u{20DD}", "\u{202E}", "\u{0}", "\r"])
    func `no text is markup, also where a combining mark makes another character of it`(text: String) {
        let source = HTML("\(text)").source
        #expect(source.unicodeScalars.allSatisfy { !"<>\"'\u{202E}\u{0}\r".unicodeScalars.contains($0) })
        #expect(!source.utf8.contains(UInt8(ascii: "&")) || source.utf8.contains(UInt8(ascii: ";")))
    }

    @Test
    func `what people wrote stays text in every field`() throws {
        let status = try Statuses.with(Statuses.attack, in: Statuses.everything)
        let series = try Statuses.with(Statuses.attack, in: Statuses.series)
        let spec = try Statuses.with(Statuses.attack, in: Statuses.spec)
        let answer = OperatorAnswer(accepted: false, changed: false, message: Statuses.attack)
        var fleet = try Statuses.with(Statuses.attack, in: Statuses.fleet)
        fleet.unknown = [Statuses.attack]
        fleet.sources[0].problem = Statuses.attack
        fleet.sources[0].diagnostics = [Statuses.attack]
        let pages = [
            Self.page(status, series: series, spec: spec, token: Statuses.attack, answer: answer),
            Self.page(status, token: nil),
            Self.fleet(fleet, FleetFilter(namespace: Statuses.attack)),
            Self.fleet(fleet, FleetFilter(text: Statuses.attack)),
            EventsPage.render(
                status.events,
                namespace: Statuses.attack,
                namespaces: [Statuses.attack],
                now: Statuses.now,
                PageShell(viewer: Statuses.attack, time: Statuses.now, logout: .init(path: "/", token: Statuses.attack))
            ),
            LoginPage.render(problem: Statuses.attack, next: Statuses.attack, csrf: Statuses.attack, now: Statuses.now),
            ProblemPage.render(
                Problem(status: 404, title: Statuses.attack, detail: Statuses.attack),
                viewer: Statuses.attack,
                now: Statuses.now
            ),
        ]
        for page in pages {
            #expect(page.contains("window.owned") || page.contains("window.ow"))
            #expect(page.split(separator: "<script").count == 2, "only our own script")
            #expect(!page.contains("<img"))
            // A quotation mark that is text never stands as one: not before any space and handler.
            #expect(page.unicodeScalars.split(separator: "\"").allSatisfy { !String($0).hasPrefix("\u{301}") })
            let markup = page.replacing(/"[^"]*"/.matchingSemantics(.unicodeScalar), with: "")
            #expect(markup.firstMatch(of: /<[a-z][^>]*[^a-z](?:on[a-z]+|autofocus)=/) == nil)
            #expect(page.firstMatch(of: /(?:href|src|action)="javascript/) == nil)
        }
    }

    @Test
    func `those that need somebody come first, and each says what it waits for`() throws {
        let page = Self.fleet(Statuses.fleet)
        // Where users may still be hurt goes first, and what is over and safe behind what waits for somebody.
        let order = ["rolling-back", "approval", "gate-holds", "paused", "rolled-back", "mid-canary", "settled"]
        let places = try order.map { name in try #require(page.range(of: "row-search/\(name)\"")).lowerBound }
        #expect(places == places.sorted())
        #expect(page.contains("A gate failed: gate latency failed, and its manifest says to hold"))
        #expect(page.contains("5 of 12 need a look."))
        let back = try #require(Statuses.fleet.deployments.first { $0.name == "rolled-back" })
        #expect(Standing.of(back) == .quarantined)
        #expect(page.contains("step 2/4, 25 %, 5/6 ready"))
    }

    @Test
    func `counts are links that filter, and a filter leaves the others' counts`() {
        let page = Self.fleet(Statuses.fleet, FleetFilter(standing: .held))
        #expect(page.contains("href=\"/?state=held\""))
        #expect(page.contains("row-search/paused\""))
        #expect(!page.contains("row-search/settled\""))
        #expect(page.contains("Healthy <b>"))
        #expect(Self.fleet(Statuses.fleet, FleetFilter(text: "PAUS")).contains("row-search/paused\""))
        #expect(!Self.fleet(Statuses.fleet, FleetFilter(text: "PAUS")).contains("row-search/settled\""))
        #expect(Self.fleet(Statuses.fleet, FleetFilter(namespace: "other")).contains("None is like that"))
    }

    @Test
    func `thousands are shown a hundred at a time`() {
        let deployments = (1...5000).map { number in
            var status = Statuses.settled
            status.name = "model-\(10_000 + number)"
            return status
        }
        let fleet = FleetStatus(time: Statuses.now, deployments: deployments, sources: [])
        let first = Self.fleet(fleet)
        #expect(first.components(separatedBy: "<li id=\"row-").count == 101)
        #expect(first.contains("Page 1 of 50"))
        #expect(first.contains("href=\"/?page=2\""))
        #expect(Self.fleet(fleet, FleetFilter(page: 50)).contains("row-search/model-15000\""))
        #expect(Self.fleet(fleet, FleetFilter(page: 99)).contains("Page 50 of 50"))
    }

    @Test
    func `who may only look sees no button`() {
        let page = Self.page(Statuses.midCanary, token: nil)
        #expect(!page.contains("<button"))
        #expect(page.contains("You may look, but not command"))
        #expect(page.contains("<code>controller abort search/file-type</code>"))
    }

    @Test
    func `of a rollout that stands still the page says so first, and what holds it`() {
        for (status, words) in [
            (Statuses.gateHolds, "It stands still. A gate failed."),
            (Statuses.approval, "It stands still. It waits for an approval."),
            (Statuses.midCanary, "canary magika 3.4 takes 25 % of the traffic"),
        ] {
            #expect(Self.page(status).contains("id=\"verdict\" role=\"status\">\(words)</p>"), "\(words)")
        }
    }

    @Test
    func `the command that ends a hold says so`() throws {
        let paused = Self.page(Statuses.paused)
        let resume = try #require(paused.range(of: "id=\"choice-resume\""))
        #expect(paused[resume.lowerBound...].prefix(200).contains("ends the hold"))
        #expect(!Self.page(Statuses.midCanary).contains("ends the hold"))
    }

    @Test
    func `a chart has a title, a description and a table that says the same`() {
        let page = Self.page(Statuses.midCanary, series: Statuses.series)
        #expect(page.components(separatedBy: "<svg viewBox=\"0 0 1000 100\"").count == 4)
        #expect(page.contains("<title id=\"svg-gate-2-title\">latency: answers slower than 250ms</title>"))
        #expect(page.contains("<th scope=\"col\">Allowed</th>"))
        #expect(!Self.page(Statuses.midCanary, series: nil).contains("Timeline"))
        var empty = Statuses.series
        empty.gates = [SeriesStatus.Gate(name: "errors", counts: "", limit: "")]
        empty.traffic = Array(empty.traffic.prefix(1))
        #expect(!Self.page(Statuses.midCanary, series: empty).contains("Timeline"))
    }

    @Test
    func `what a page loads is named by its content`() {
        for asset in PageAssets.all {
            #expect(asset.path.wholeMatch(of: /\/assets\/[a-z]+-[0-9a-f]{16}\.[a-z]+/) != nil)
            #expect(PageAssets.named(asset.path)?.text == asset.text)
        }
        #expect(PageAssets.named("/assets/page-0000000000000000.css") == nil)
    }

    @Test(arguments: [
        ("/deployments/a/b", true), ("/", true), ("//elsewhere", false), ("/\\elsewhere", false),
        ("https://elsewhere", false), ("/a\nb", false), ("", false),
    ])
    func `after a login one goes on to our own pages only`(path: String, isOwn: Bool) {
        #expect(LoginPage.isOwn(path) == isOwn)
    }
}
