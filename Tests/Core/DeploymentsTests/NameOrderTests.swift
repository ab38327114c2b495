import Deployments
import Testing

@Suite("Sorted names of deployments")
struct NameOrderTests {
    private static func id(_ text: String) -> DeploymentID { DeploymentID(namespace: "n", name: text) }

    @Test
    func `names that come and go in any order leave a list sorted, each once`() {
        var (names, known): ([DeploymentID], Set<DeploymentID>) = ([], [])
        for number in 0..<500 {
            let (id, isThere) = (Self.id("m\(number * 37 % 101)"), number % 3 != 0)
            names.keepSorted(id, isThere: isThere)
            if isThere { known.insert(id) } else { known.remove(id) }
            #expect(names == known.sorted())
        }
    }

    @Test
    func `the place of a name is that of the first that does not come before it`() {
        let names = ["b", "d", "f"].map(Self.id)
        #expect(["a", "b", "c", "d", "f", "g"].map { names.firstIndex(notBefore: Self.id($0)) } == [0, 0, 1, 1, 2, 3])
        #expect([DeploymentID]().firstIndex(notBefore: Self.id("a")) == 0)
    }
}
