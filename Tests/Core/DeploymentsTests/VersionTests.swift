import Deployments
import Testing

struct VersionTests {
    @Test
    func `versions are ordered as semver.org has it`() throws {
        let ordered = [
            "0.0.1", "0.9.0", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
            "1.0.0-beta.11", "1.0.0-rc.1", "v1.0.0", "1.0.1", "1.2.0", "1.10.0", "v10.0.0",
        ]
        let versions = try ordered.map { try #require(SemanticVersion($0), "\($0)") }
        #expect(versions.sorted() == versions)
        #expect(zip(versions, versions.dropFirst()).allSatisfy { $0 < $1 && !($1 < $0) })
        #expect(SemanticVersion("1.0.0+a") == SemanticVersion("v1.0.0+b"))
    }

    @Test(arguments: [
        "", "1", "1.2", "1.2.x", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3+", "a1.2.3", "1.2.-3",
        "v", "1.2.3 ", "١.2.3", "1.2.9999999999", "release-1.2.3",
    ])
    func `what is no version is none`(text: String) {
        #expect(SemanticVersion(text) == nil)
    }

    @Test(arguments: [
        ("*", "0.0.1 1.2.3 9.9.9", "1.0.0-rc.1"), ("1.x", "1.0.0 1.9.9", "0.9.9 2.0.0 2.0.0-rc.1"),
        ("1", "1.0.0 1.9.9", "2.0.0"), ("1.2", "1.2.0 1.2.9", "1.3.0 1.1.9"), ("=1.2.3", "1.2.3", "1.2.4"),
        ("1.2.3", "1.2.3 v1.2.3+b", "1.2.2"), ("^1.2", "1.2.0 1.9.0", "1.1.9 2.0.0"),
        ("^0.2.3", "0.2.3 0.2.9", "0.3.0 0.2.2"), ("^0.0.3", "0.0.3", "0.0.4"), ("~1.2.3", "1.2.3 1.2.9", "1.3.0"),
        ("~1", "1.0.0 1.9.0", "2.0.0"), (">=1.2.0 <2.0.0", "1.2.0 1.9.9", "1.1.9 2.0.0"),
        (">= 1.2, < 2", "1.2.0 1.9.9", "2.0.0 1.1.0"), (">1.2", "1.3.0", "1.2.9"), (">1.2.3", "1.2.4", "1.2.3"),
        ("<=1.2", "1.2.9", "1.3.0"), ("<=1.2.3", "1.2.3", "1.2.4"), ("<1.2", "1.1.9", "1.2.0"),
        ("1.x || >=3.0.0", "1.5.0 3.0.0", "2.0.0"), (">=1.0.0-0", "1.0.0-rc.1 1.0.0 2.0.0-rc.1", "0.9.0"),
        ("^1.0.0-0", "1.0.0-rc.1 1.9.0", "2.0.0-rc.1"), ("<2.0.0", "1.9.9", "2.0.0-rc.1 1.0.0-rc.1"),
    ])
    func `a range contains what it says`(text: String, inside: String, outside: String) throws {
        let range = try #require(VersionRange(text))
        #expect(range.description == text)
        for version in inside.split(separator: " ") {
            #expect(range.contains(try #require(SemanticVersion(String(version)))), "\(version)")
        }
        for version in outside.split(separator: " ") {
            #expect(!range.contains(try #require(SemanticVersion(String(version)))), "\(version)")
        }
    }

    @Test(arguments: ["", " ", "||", "1.2 ||", ">", ">*", "=>1", "^", "1.2.3.4", "latest", "1.x.2", ">=1.2-rc.1"])
    func `what is no range is none`(text: String) {
        #expect(VersionRange(text) == nil)
    }
}
