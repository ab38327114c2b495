import Deployments
import Foundation
import Git
import Reconciliation
import Testing

@Suite("Recovery")
struct RecoveryTests {
    private func store(_ workshop: Workshop) -> String { workshop.storage + "/models/store.git" }

    private func packs(_ workshop: Workshop) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: self.store(workshop) + "/objects/pack")
            .filter { $0.hasSuffix(".pack") }
    }

    @Test
    func `locks and half packs of an ended git are removed`() async throws {
        try await Workshop.run { workshop in
            _ = try await workshop.repository().poll()
            let leftovers = [
                "shallow.lock", "config.lock", "packed-refs.lock", "refs/controller/staging.lock",
                "refs/controller/tip.lock", "objects/pack/tmp_pack_abc",
            ]
            for name in leftovers {
                try Data("half".utf8).write(to: URL(filePath: self.store(workshop) + "/" + name))
            }
            let commit = try await workshop.commit(["a.yaml": "2"])
            try await workshop.push()
            #expect(try await workshop.repository().poll()?.origin.commit == commit)
            for name in leftovers {
                #expect(!FileManager.default.fileExists(atPath: self.store(workshop) + "/" + name), "\(name)")
            }
        }
    }

    enum Damage: String, CaseIterable {
        case emptyPack, brokenPack, lostPack, lostHead, emptyTip, brokenShallow, brokenConfig
    }

    @Test(arguments: Damage.allCases)
    func `a damaged store is made anew`(_ damage: Damage) async throws {
        try await Workshop.run { workshop in
            let first = try await workshop.repository().poll()
            #expect(first != nil)
            let store = self.store(workshop)
            let pack = try store + "/objects/pack/" + #require(try self.packs(workshop).first)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: pack)
            switch damage {
            case .emptyPack: try Data().write(to: URL(filePath: pack))
            case .brokenPack:
                var bytes = try Data(contentsOf: URL(filePath: pack))
                for index in 12..<bytes.count { bytes[index] ^= 0x5A }
                try bytes.write(to: URL(filePath: pack))
            case .lostPack: try FileManager.default.removeItem(atPath: pack)
            case .lostHead: try FileManager.default.removeItem(atPath: store + "/HEAD")
            case .emptyTip: try Data().write(to: URL(filePath: store + "/refs/controller/tip"))
            case .brokenConfig: try Data("[core\n".utf8).write(to: URL(filePath: store + "/config"))
            case .brokenShallow: try Data("nonsense\n".utf8).write(to: URL(filePath: store + "/shallow"))
            }
            let commit = try await workshop.commit(["a.yaml": "2"])
            try await workshop.push()
            let repository = workshop.repository()
            var last: SourceSnapshot?
            for _ in 1...2 where last?.origin.commit != commit { last = try await repository.poll() }
            #expect(last?.origin.commit == commit)
            #expect(last?.rewroteHistory == false)
        }
    }

    @Test
    func `a store damaged while it is open is made anew`() async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository()
            _ = try await repository.poll()
            try FileManager.default.removeItem(atPath: self.store(workshop))
            let commit = try await workshop.commit(["a.yaml": "2"])
            try await workshop.push()
            #expect(try await repository.poll()?.origin.commit == commit)
        }
    }

    @Test
    func `a note is written from a damaged store, and a commit that no branch has still stands`() async throws {
        try await Workshop.run { workshop in
            let first = try #require(try await workshop.repository().poll())
            try await workshop.git("commit", "--quiet", "--amend", "-m", "Amended")
            try await workshop.push()
            try FileManager.default.removeItem(atPath: self.store(workshop) + "/HEAD")
            let repository = workshop.repository { $0.writesNotes = true }
            try await repository.annotate(commit: first.origin.commit, key: "a/b", note: "1")
            #expect(try await repository.poll() == first)
            let error = try await sourceError { _ = try await repository.poll() }
            #expect(error.code == .historyRewritten)
        }
    }

    @Test
    func `a replacement that a crash cut short is ended or undone`() async throws {
        try await Workshop.run { workshop in
            let first = try await workshop.repository().poll()
            let files = FileManager.default
            let store = self.store(workshop)
            // Between the two renames, and with a fresh one that was not whole.
            try files.copyItem(atPath: store, toPath: store + ".new")
            try files.moveItem(atPath: store, toPath: store + ".old")
            #expect(try await workshop.repository().poll() == first)
            #expect(!files.fileExists(atPath: store + ".old"))
            try files.createDirectory(atPath: store + ".new", withIntermediateDirectories: false)
            #expect(try await workshop.repository().poll() == first)
            #expect(!files.fileExists(atPath: store + ".new"))
        }
    }

    @Test
    func `packs are few after many pushes`() async throws {
        try await Workshop.run { workshop in
            let repository = workshop.repository {
                $0.limits.packs = 3
                $0.writesNotes = true
            }
            for index in 1...9 {
                let commit = try await workshop.commit(["a.yaml": "\(index)"])
                try await workshop.push()
                #expect(try await repository.poll()?.origin.commit == commit)
                try await repository.annotate(commit: commit, key: "a/b", note: "\(index)")
                #expect(try self.packs(workshop).count <= 3)
            }
            #expect(try await repository.poll() == nil)
        }
    }

    @Test
    func `a record that cannot be read is not overwritten`() async throws {
        try await Workshop.run { workshop in
            _ = try await workshop.repository().poll()
            let record = workshop.storage + "/models/accepted.json"
            try Data("{".utf8).write(to: URL(filePath: record))
            let error = try await sourceError { _ = try await workshop.repository().poll() }
            #expect(error.code == .unreadable)
            #expect(error.message.contains("accepted.json"))
            #expect(try String(contentsOfFile: record, encoding: .utf8) == "{")
        }
    }

    @Test
    func `others cannot read what is kept here`() async throws {
        try await Workshop.run { workshop in
            _ = try await workshop.repository().poll()
            for (name, mode) in [("", 0o700), ("/home", 0o700), ("/home/gitconfig", 0o600), ("/home/askpass", 0o700)] {
                let attributes = try FileManager.default.attributesOfItem(atPath: workshop.storage + "/models" + name)
                #expect(attributes[.posixPermissions] as? Int == mode, "\(name)")
            }
        }
    }
}
