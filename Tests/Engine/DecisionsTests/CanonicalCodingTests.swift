import Decisions
import Deployments
import Testing

@Suite("Canonical coding")
struct CanonicalCodingTests {
    @Test
    func `doubles come back as the same number`() throws {
        let numbers: [Double] = [
            0.1, 1 / 3, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 123_456_789.125, .infinity, -.infinity,
        ]
        let again = try CanonicalCoding.decode([Double].self, from: try CanonicalCoding.encode(numbers))
        #expect(again.map(\.bitPattern) == numbers.map(\.bitPattern))
        #expect(try CanonicalCoding.decode([Double].self, from: try CanonicalCoding.encode([Double.nan]))[0].isNaN)
    }

    @Test
    func `a member that is there as JSON takes its place among the others`() throws {
        struct Value: Codable, Equatable {
            var after: [Int]
            var large: [String: String]
            var zero: Double?
        }
        let whole = Value(after: [1, 2], large: ["a": "}\",{", "b": "c"], zero: 0)
        var rest = whole
        rest.large = [:]
        let json = try CanonicalCoding.encode(whole.large)
        #expect(try CanonicalCoding.encode(rest, with: "large", as: json) == (try CanonicalCoding.encode(whole)))
        #expect(try CanonicalCoding.encode(rest, with: "nothing", as: json) == (try CanonicalCoding.encode(rest)))
    }

    @Test
    func `equal sets and dictionaries are equal bytes, in whatever order they grew`() throws {
        let names = (0..<40).map { "r\($0):1" }
        let states = [names, names.reversed()].map { names in
            var state = RouterState()
            for name in names {
                state.serving.insert(name)
                state.warm.insert(Revision(digest: name))
                state.traffic.weights[Revision(digest: name)] = TrafficWeight(percent: 1)
            }
            return state
        }
        #expect(try CanonicalCoding.encode(states[0]) == (try CanonicalCoding.encode(states[1])))
        let again = try CanonicalCoding.decode(RouterState.self, from: try CanonicalCoding.encode(states[0]))
        #expect(again == states[0])
    }
}
