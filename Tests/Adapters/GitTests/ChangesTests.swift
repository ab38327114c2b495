import Deployments
import Foundation
import Git
import Manifests
import Reconciliation
import Testing

/// What a commit changed is what is read of it, and that is the same as reading all of it.
@Suite("Changes")
struct ChangesTests {
    /// A repository that has read every commit, and one that reads the last one only, agree.
    private func compare(_ old: GitRepository, _ number: Int, _ workshop: Workshop) async throws {
        let known = try #require(try await old.poll(), "commit \(number)")
        let anew = try #require(try await workshop.repository(name: "anew-\(number)").poll())
        #expect(known.files == anew.files, "commit \(number)")
    }

    @Test
    func `folders and files that come, go, move and change kind are read as if nothing was known`() async throws {
        try await Workshop.run(["a.yaml": "1", "b/c.yaml": "1", "b/d.txt": "1", "e/f/g.yaml": "1"]) { workshop in
            let repository = workshop.repository()
            _ = try await repository.poll()
            let steps: [(write: [String: String], remove: [String])] = [
                (["a.yaml": "2"], []),
                (["b/new.yaml": "1", "b/d.txt": "2"], []),
                ([:], ["e"]),
                (["e/f/g.yaml": "3", "e.yaml": "1", "e-x/y.yaml": "1"], []),
                // A folder becomes a file of its name, and a file a folder.
                (["e.yaml/z.yaml": "1", "b": "not read"], ["e.yaml", "b"]),
                (["b/c.yaml": "4", "e.yaml": "5"], ["b", "e.yaml"]),
                ([".github/workflows/x.yaml": "1", "B.yaml": "1", "é.yaml": "1", "z~.json": "{}"], []),
                ([".github/workflows/x.yaml": "2"], ["a.yaml"]),
                ([:], [".github", "b", "e-x"]),
                (["only.yaml": "1"], ["."]),
            ]
            for (number, step) in steps.enumerated() {
                if !step.remove.isEmpty {
                    try await workshop.git("rm", "--quiet", "-r", "--", step.remove[0])
                    for path in step.remove.dropFirst() { try await workshop.git("rm", "--quiet", "-r", "--", path) }
                }
                try await workshop.commit(step.write, "Step \(number)")
                try await workshop.push()
                try await self.compare(repository, number, workshop)
            }
        }
    }

    @Test
    func `the watched folder may come and go`() async throws {
        try await Workshop.run(["models/a.yaml": "1", "b.yaml": "1"]) { workshop in
            let repository = workshop.repository { $0.paths = ["models"] }
            #expect(try await repository.poll()?.files.map(\.path) == ["models/a.yaml"])
            try await workshop.git("rm", "--quiet", "-r", "models")
            try await workshop.commit([:])
            try await workshop.push()
            #expect(try await repository.poll()?.files.isEmpty == true)
            try await workshop.commit(["models/c.yaml": "1"])
            try await workshop.push()
            #expect(try await repository.poll()?.files.map(\.path) == ["models/c.yaml"])
        }
    }

    @Test
    func `of several watched folders each is read, and nothing between them`() async throws {
        let start = ["prod/a.yaml": "1", "staging/search/b.yaml": "1", "staging/c.yaml": "1", "production/d.yaml": "1"]
        try await Workshop.run(start) { workshop in
            let paths = ["staging/search/", "prod"]
            let repository = workshop.repository { $0.paths = paths }
            let first = try #require(try await repository.poll())
            #expect(first.files.map(\.path) == ["prod/a.yaml", "staging/search/b.yaml"])
            let steps: [(write: [String: String], remove: String?, read: [String])] = [
                (
                    ["staging/search/b.yaml": "2", "prod/x/y.yaml": "1"], nil,
                    ["prod/a", "prod/x/y", "staging/search/b"]
                ),
                ([:], "staging", ["prod/a", "prod/x/y"]),
                (["production/d.yaml": "2", "prod/a.yaml": "2"], nil, ["prod/a", "prod/x/y"]),
                (["staging/search/z.yaml": "1"], "prod", ["staging/search/z"]),
                (["prod": "a file now"], nil, []),
                (["prod/a.yaml": "3"], "prod", ["prod/a", "staging/search/z"]),
            ]
            for (number, step) in steps.enumerated() {
                if let remove = step.remove { try await workshop.git("rm", "--quiet", "-r", "--", remove) }
                try await workshop.commit(step.write, "Step \(number)")
                try await workshop.push()
                if step.read.isEmpty {
                    let error = try await sourceError { _ = try await repository.poll() }
                    #expect(error.message.contains("the watched path prod is not a folder"))
                    continue
                }
                let read = try #require(try await repository.poll(), "commit \(number)")
                #expect(read.files.map(\.path) == step.read.map { $0 + ".yaml" }, "commit \(number)")
                // Who starts anew is told of a folder that is not there, as it may be mistyped.
                guard step.remove == nil || number > 4 else { continue }
                let anew = workshop.repository(name: "anew-\(number)") {
                    $0.paths = number == 2 ? ["prod"] : paths.reversed()
                }
                #expect(try await anew.poll()?.files == read.files, "commit \(number)")
            }
            let twice = workshop.repository(name: "twice") { $0.paths = ["staging", "staging/search"] }
            let error = try await sourceError { _ = try await twice.poll() }
            #expect(error.message.contains("'staging/search' lies in 'staging', which is watched already"))
        }
    }

    @Test
    func `the limits hold for what commits add up to`() async throws {
        try await Workshop.run(["a.yaml": "12345", "b/c.yaml": "12345"]) { workshop in
            let bounds: [(String, (inout GitLimits) -> Void)] = [
                ("manifests; set path", { $0.files = 3 }), ("bytes together", { $0.totalBytes = 19 }),
                ("entries; set path", { $0.entries = 5 }),
            ]
            var repositories: [GitRepository] = []
            for (number, bound) in bounds.enumerated() {
                repositories.append(workshop.repository(name: "r\(number)") { bound.1(&$0.limits) })
            }
            for repository in repositories { _ = try await repository.poll() }
            try await workshop.commit(["b/d.yaml": "12345"])
            try await workshop.push()
            for repository in repositories { #expect(try await repository.poll()?.files.count == 3) }
            try await workshop.commit(["b/e.yaml": "12345", "b/f.txt": ""])
            try await workshop.push()
            for (repository, bound) in zip(repositories, bounds) {
                let error = try await sourceError { _ = try await repository.poll() }
                #expect(error.code == .tooLarge)
                #expect(error.message.contains(bound.0), "\(error.message)")
            }
        }
    }

    @Test
    func `what went does not count against the limits`() async throws {
        try await Workshop.run(["a.yaml": "1", "b/c.yaml": "1", "b/d/e.yaml": "1"]) { workshop in
            let repository = workshop.repository { $0.limits.entries = 5 }
            for number in 0..<6 {
                #expect(try await repository.poll()?.files.count == 3)
                try await workshop.git("rm", "--quiet", "-r", number == 0 ? "b" : "b\(number - 1)")
                try await workshop.commit(["b\(number)/c.yaml": "\(number)", "b\(number)/d/e.yaml": "\(number)"])
                try await workshop.push()
            }
            #expect(try await repository.poll()?.files.count == 3)
        }
    }
}
