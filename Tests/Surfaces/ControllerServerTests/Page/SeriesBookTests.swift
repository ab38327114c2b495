import ControllerAPI
import ControllerServer
import Deployments
import Foundation
import Reconciliation
import Rollouts
import Testing

@Suite("What gates measured over time")
struct SeriesBookTests {
    @Test
    func `a rollout leaves the traffic and each gate's measurements, in order and bounded`() async throws {
        var book = SeriesBook()
        var id: DeploymentID?
        var steps: Set<Int> = []
        for (rollout, fleet) in await OutlookTests.snapshots() {
            book.add(fleet)
            id = rollout.id
            if case .stepping(let step, _) = rollout.phase { steps.insert(step + 1) }
        }
        let deployment = try #require(id)
        let series = try #require(book[deployment])
        #expect(series.gates.map(\.name) == ["errors", "latency"])
        #expect(series.gates[1].counts == "answers slower than 250ms")
        for gate in series.gates {
            #expect(gate.points.count > 5 && gate.points.count <= SeriesStatus.limit)
            #expect(gate.points.map(\.time) == gate.points.map(\.time).sorted())
            #expect(Set(gate.points.map(\.step)).isSubset(of: steps))
            let measured = gate.points.filter { $0.canary != nil && $0.stable != nil }
            #expect(!measured.isEmpty)
            for point in measured {
                let canary = try #require(point.canary)
                #expect(canary.lower <= canary.value && canary.value <= canary.upper && canary.requests > 0)
                #expect(try #require(point.limit) >= (try #require(point.stable)).value)
            }
        }
        #expect(Set(series.traffic.map(\.canary)).isSuperset(of: [5, 50]))
        #expect(series.traffic.allSatisfy { $0.canary + $0.stable <= 100 })
    }

    @Test
    func `a long rollout has fewer points a minute, and its newest is kept`() async throws {
        let stepping = await OutlookTests.snapshots().filter { rollout, _ in
            if case .stepping(_, .some) = rollout.phase { true } else { false }
        }
        var (book, fleet) = (SeriesBook(), try #require(stepping.last).1)
        let id = try #require(stepping.last).0.id
        for _ in 0..<3000 {
            fleet.time = Timestamp(milliseconds: fleet.time.milliseconds + 2000)
            book.add(fleet)
        }
        let series = try #require(book[id])
        #expect(series.pointSeconds > 8)
        #expect((SeriesStatus.limit / 2 - 1...SeriesStatus.limit).contains(series.traffic.count))
        #expect(series.gates.allSatisfy { $0.points.count <= SeriesStatus.limit })
        let last = try #require(series.traffic.last).time
        #expect(OutlookTests.date(fleet.time).timeIntervalSince(last) < series.pointSeconds)
    }

    @Test
    func `what is gone is forgotten, and what ended stays until the next rollout`() async throws {
        let all = await OutlookTests.snapshots()
        let first = try #require(all.first { $0.0.isInFlight && $0.0.stable != nil })
        let last = try #require(all.last)
        var book = SeriesBook()
        book.add(first.1)
        let canary = try #require(book[first.0.id]).canary
        book.add(last.1)
        #expect(book[first.0.id]?.canary == canary)
        book.add(FleetSnapshot(time: last.1.time))
        #expect(book[first.0.id] == nil)
    }
}
