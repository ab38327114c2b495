import Deployments
import Foundation
import LocalPlatform
import Testing

@Suite("Logs of replicas")
struct ReplicaLogsTests {
    private let folder: URL
    private let logs: ReplicaLogs
    private let id = DeploymentID(namespace: "search", name: "file-type")

    init() throws {
        self.folder = FileManager.default.temporaryDirectory.appending(path: "logs-\(UUID().uuidString)")
        self.logs = ReplicaLogs(directory: self.folder.path)
        try FileManager.default.createDirectory(
            at: self.folder.appending(path: "logs"),
            withIntermediateDirectories: true
        )
    }

    private func write(_ text: String, _ name: String, age: Double = 0) throws {
        let file = self.folder.appending(path: "logs/\(name)")
        try Data(text.utf8).write(to: file)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: 1_795_000_000 - age)],
            ofItemAtPath: file.path
        )
    }

    @Test
    func `a deployment's logs are listed, the newest first, and nobody else's`() throws {
        defer { try? FileManager.default.removeItem(at: self.folder) }
        try self.write("old", "search,file-type,5f2c81aa90,0.log", age: 60)
        try self.write("new!", "search,file-type,1eabc9a4d0,10.log")
        try self.write("cut", "search,file-type,1eabc9a4d0,10.log.1")
        try self.write("other", "search,file-type-2,1eabc9a4d0,0.log")
        try self.write("other", "search-2,file-type,1eabc9a4d0,0.log")
        try FileManager.default.createSymbolicLink(
            atPath: self.folder.path + "/logs/search,file-type,1eabc9a4d0,7.log",
            withDestinationPath: "/etc/passwd"
        )
        #expect(self.logs.files(of: self.id).map(\.replica) == ["1eabc9a4d0-10", "5f2c81aa90-0"])
        #expect(self.logs.files(of: self.id).map(\.size) == [4, 3])
        #expect(self.logs.files(of: DeploymentID(namespace: "a", name: "b")).isEmpty)
        #expect(self.logs.read("1eabc9a4d0-7", of: self.id, from: 0, limit: 9) == nil)
        #expect(ReplicaLogs(directory: "/nonexistent").files(of: self.id).isEmpty)
    }

    @Test
    func `a log is read from a place, from its end, and anew when it was cut`() throws {
        defer { try? FileManager.default.removeItem(at: self.folder) }
        try self.write("0123456789", "search,file-type,1eabc9a4d0,0.log")
        func read(_ offset: Int64, _ limit: Int) -> ReplicaLogs.Piece? {
            self.logs.read("1eabc9a4d0-0", of: self.id, from: offset, limit: limit)
        }
        #expect(read(0, 4) == ReplicaLogs.Piece(offset: 0, bytes: Array("0123".utf8)))
        #expect(read(8, 4) == ReplicaLogs.Piece(offset: 8, bytes: Array("89".utf8)))
        #expect(read(10, 4) == ReplicaLogs.Piece(offset: 10, bytes: []))
        #expect(read(-3, 99) == ReplicaLogs.Piece(offset: 7, bytes: Array("789".utf8)))
        #expect(read(-99, 2) == ReplicaLogs.Piece(offset: 0, bytes: Array("01".utf8)))
        #expect(read(11, 4) == ReplicaLogs.Piece(offset: 0, bytes: Array("0123".utf8)))
    }

    @Test(arguments: ["", "x", "../../etc-0", "1eabc9a4d0-0-0", "1eabc9a4d0,0-../..", "%2E%2E-0", "1eabc9a4d0-0.log.1"])
    func `a name that is none reads no file`(replica: String) throws {
        defer { try? FileManager.default.removeItem(at: self.folder) }
        try self.write("secret", "search,file-type,1eabc9a4d0,0.log")
        try self.write("secret", "search,file-type,1eabc9a4d0,0.log.1")
        #expect(self.logs.read(replica, of: self.id, from: 0, limit: 99) == nil)
    }
}
