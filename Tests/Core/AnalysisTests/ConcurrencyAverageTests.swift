import Analysis
import Deployments
import Testing

struct ConcurrencyAverageTests {
    private static let begin = Timestamp(milliseconds: 1_000_000)

    /// Looks every second.
    private static func average(of requests: [Int]) -> (average: ConcurrencyAverage, last: Timestamp) {
        var average = ConcurrencyAverage(requests[0], at: Self.begin)
        for (second, count) in requests.enumerated().dropFirst() {
            average.add(count, at: Self.begin + .seconds(second), gap: .seconds(10))
        }
        return (average, Self.begin + .seconds(requests.count - 1))
    }

    private static func value(of requests: [Int]) -> Double? {
        let (average, last) = Self.average(of: requests)
        return average.value(at: last, within: .seconds(10))
    }

    @Test
    func `it says nothing before it has seen enough`() {
        #expect(Self.value(of: [7]) == nil)
        #expect(Self.value(of: Array(repeating: 7, count: 10)) == nil)
        #expect(Self.value(of: Array(repeating: 7, count: 11)) == 7)
    }

    @Test
    func `it follows a change within some time constants, and an instant hardly`() throws {
        let calm = Array(repeating: 4, count: 60)
        let peak = try #require(Self.value(of: calm + [24]))
        #expect(peak > 4 && peak < 6)
        let risen = try #require(Self.value(of: calm + Array(repeating: 8, count: 10)))
        #expect(risen > 6 && risen < 7)
        #expect(Self.value(of: calm + Array(repeating: 8, count: 60)) == 8)
        #expect(Self.value(of: calm + Array(repeating: 0, count: 90)) == 0)
    }

    @Test
    func `the first look counts no more than the next ones`() throws {
        let value = try #require(Self.value(of: [100] + Array(repeating: 0, count: 10)))
        #expect(value < 10)
    }

    @Test
    func `it does not matter how often one looks`() throws {
        var often = ConcurrencyAverage(10, at: Self.begin)
        var seldom = often
        for tick in 1...400 {
            let time = Self.begin + .milliseconds(250 * tick)
            let requests = tick <= 360 ? 10 : 20
            often.add(requests, at: time, gap: .seconds(10))
            if tick.isMultiple(of: 8) { seldom.add(requests, at: time, gap: .seconds(10)) }
        }
        let now = Self.begin + .seconds(100)
        let (fine, coarse) = (often.value(at: now, within: .seconds(1)), seldom.value(at: now, within: .seconds(1)))
        #expect(abs(try #require(fine) - (try #require(coarse))) < 0.5)
    }

    @Test
    func `what it does not see it does not know`() throws {
        let (full, last) = Self.average(of: Array(repeating: 7, count: 60))
        #expect(full.value(at: last + .seconds(10), within: .seconds(10)) == 7)
        #expect(full.value(at: last + .seconds(11), within: .seconds(10)) == nil)
        var average = full
        average.add(1, at: last + .seconds(11), gap: .seconds(10))
        #expect(average.value(at: last + .seconds(11), within: .seconds(10)) == nil, "it begins anew after a gap")
        average = full
        average.add(1, at: last + .seconds(-1), gap: .seconds(10))
        #expect(average.value(at: last, within: .seconds(10)) == nil, "and when the clock went back")
        average = full
        for _ in 0..<100 { average.add(1000, at: last, gap: .seconds(10)) }
        #expect(average.value(at: last, within: .seconds(10)) == 7, "one look counts once")
    }
}
