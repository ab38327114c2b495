import ControllerAPI
import ControllerPage
import Foundation
import SampleStatuses
import Testing

@Suite("Commands from a form")
struct PageCommandTests {
    private func request(_ body: String) throws -> OperatorRequest {
        try PageCommand.request(URLText.fields(Data(body.utf8)), now: Statuses.now)
    }

    @Test
    func `a form is the command that its words say`() throws {
        #expect(
            try self.request("verb=pause&for=30m&why=latency+looks+odd%21")
                == OperatorRequest(verb: .pause, why: "latency looks odd!", until: Statuses.ago(-1800))
        )
        #expect(try self.request("verb=pause&for=&why=x") == OperatorRequest(verb: .pause, why: "x"))
        #expect(try self.request("verb=promote&full=1&why=x") == OperatorRequest(verb: .promote, why: "x", full: true))
        #expect(
            try self.request("verb=rollback&to=5f2c&why=%C3%A4")
                == OperatorRequest(verb: .rollback, why: "ä", to: "5f2c")
        )
        #expect(try self.request("verb=abort&why=x&full=1&to=5f2c") == OperatorRequest(verb: .abort, why: "x"))
    }

    @Test(arguments: [
        "", "verb=abort", "verb=abort&why=++", "verb=explode&why=x", "verb=prune&why=x", "verb=pause&for=9y&why=x",
        "verb=rollback&to=5f&why=x", "verb=rollback&to=../etc&why=x", "verb=%ff&why=x", "=&&why",
        "verb=abort&why=" + String(repeating: "x", count: 501),
    ])
    func `what is none changes nothing and says so`(body: String) {
        let problem = #expect(throws: Problem.self) { try self.request(body) }
        #expect(problem?.status == 400)
        #expect(problem?.detail.hasPrefix("Nothing was done: ") == true)
    }

    @Test
    func `what was seen is another thing once phase, step or revision is`() {
        let seen = Sight.of(Statuses.midCanary)
        #expect(seen == Sight.of(Statuses.paused))
        for other in [Statuses.approval, Statuses.rollingBack, Statuses.settled] { #expect(Sight.of(other) != seen) }
        var later = Statuses.midCanary
        later.canary?.revision = "ffff"
        #expect(Sight.of(later) != seen)
    }
}
