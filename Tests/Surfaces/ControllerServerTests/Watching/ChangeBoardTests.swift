import ControllerAPI
import Deployments
import Foundation
import NIOCore
import Testing

@testable import ControllerServer

@Suite("What is told to those who watch")
struct ChangeBoardTests {
    private let names = ["a/1", "a/2", "b/1"].compactMap { DeploymentID($0) }

    private func news(_ name: String, _ message: String) throws -> (DeploymentID, DeploymentSummary, ByteBuffer) {
        let id = try #require(DeploymentID(name))
        let summary = DeploymentSummary(LiveFixture.status(id.name, in: id.namespace, message: message))
        return (id, summary, try ServerSentEvent.message("deployment", summary))
    }

    private func board(_ limits: ChangeBoard.Limits = ChangeBoard.Limits()) throws -> ChangeBoard {
        var board = ChangeBoard(start: "x", limits: limits)
        board.take(try self.names.map { try self.news($0.description, "first") }, gone: [], names: self.names)
        board.take([], newest: 7)
        return board
    }

    /// `reset`, or the message that a summary has.
    private func texts(_ reading: ChangeBoard.Reading) throws -> [String] {
        guard case .messages(let messages) = reading else { return [] }
        return try messages.map { message in
            let text = String(buffer: message)
            let (event, data) = (text.dropFirst(7).prefix { $0 != "\n" }, text.split(separator: "data: ").last ?? "")
            guard event == "deployment" else { return String(event) }
            let summary = try APICoding.decoder().decode(DeploymentSummary.self, from: Data(data.utf8))
            return "\(summary.namespace)/\(summary.name) \(summary.message)"
        }
    }

    private func read(
        _ board: ChangeBoard,
        _ reader: inout ChangeBoard.Reader,
        _ scope: WatchScope = .fleet,
        bytes: Int = .max
    ) throws -> [String] {
        try self.texts(try board.read(&reader, of: scope, bytes: bytes))
    }

    @Test
    func `whoever begins is told all there is and nothing that happened before`() throws {
        let board = try self.board()
        var reader = ChangeBoard.Reader(WatchPlace())
        #expect(try self.read(board, &reader) == ["reset", "a/1 first", "a/2 first", "b/1 first"])
        #expect(try self.read(board, &reader).isEmpty)
        #expect(reader.place.description == "7.x.3")
        var scoped = ChangeBoard.Reader(WatchPlace())
        #expect(try self.read(board, &scoped, .namespace("a")) == ["reset", "a/1 first", "a/2 first"])
        var some = ChangeBoard.Reader(WatchPlace())
        #expect(try self.read(board, &some, .namespaces(["b", "c"])) == ["reset", "b/1 first"])
        var nobody = ChangeBoard.Reader(WatchPlace())
        #expect(try self.read(board, &nobody, .namespace("aa")) == ["reset"])
    }

    @Test
    func `what was overtaken is told as it is by now, once`() throws {
        var board = try self.board()
        var reader = ChangeBoard.Reader(WatchPlace())
        _ = try self.read(board, &reader)
        board.take([try self.news("a/1", "second"), try self.news("b/1", "second")], gone: [], names: self.names)
        board.take([try self.news("a/1", "third")], gone: [], names: self.names)
        #expect(try self.read(board, &reader) == ["b/1 second", "a/1 third"])
        #expect(try self.read(board, &reader).isEmpty)
    }

    @Test
    func `what goes is told, and so is what comes back`() throws {
        var board = try self.board()
        var reader = ChangeBoard.Reader(WatchPlace())
        _ = try self.read(board, &reader)
        let left = [self.names[0], self.names[2]]
        #expect(board.missing(in: left) == [self.names[1]])
        board.take([], gone: [self.names[1]], names: left)
        var second = reader
        #expect(try self.read(board, &reader) == ["removed"])
        board.take([try self.news("a/2", "again")], gone: [], names: self.names)
        #expect(try self.read(board, &reader) == ["a/2 again"])
        #expect(try self.read(board, &second) == ["a/2 again"], "it was not gone for one who did not see it go")
    }

    @Test
    func `one who has fallen too far behind begins anew`() throws {
        var limits = ChangeBoard.Limits()
        limits.changes = 4
        var board = try self.board(limits)
        var reader = ChangeBoard.Reader(WatchPlace())
        _ = try self.read(board, &reader)
        for number in 0..<6 { board.take([try self.news("a/1", "\(number)")], gone: [], names: self.names) }
        #expect(try self.read(board, &reader) == ["reset", "a/1 5", "a/2 first", "b/1 first"])
        #expect(try self.read(board, &reader).isEmpty)
        var stranger = ChangeBoard.Reader(WatchPlace(event: 7, start: "y", change: 9))
        #expect(try self.read(board, &stranger).first == "reset", "another controller counted otherwise")
        var future = ChangeBoard.Reader(WatchPlace(event: 7, start: "x", change: 99))
        #expect(try self.read(board, &future).first == "reset")
    }

    @Test
    func `a long list is told in parts, and what changed meanwhile again`() throws {
        var board = try self.board()
        var reader = ChangeBoard.Reader(WatchPlace())
        #expect(try self.read(board, &reader, bytes: 1) == ["reset", "a/1 first"])
        #expect(reader.place.start == nil, "to be read from the beginning, when the stream breaks off here")
        board.take([try self.news("a/1", "second")], gone: [self.names[1]], names: [self.names[0], self.names[2]])
        #expect(try self.read(board, &reader, bytes: 1) == ["b/1 first"])
        #expect(try self.read(board, &reader) == ["a/1 second", "removed"])
        #expect(try self.read(board, &reader).isEmpty)
    }

    private func happening(_ number: Int64, _ deployment: String) throws -> ChangeBoard.Happening {
        var event = EventStatus(
            time: Date(timeIntervalSince1970: 0),
            deployment: deployment,
            kind: "promoted",
            message: "",
            by: nil,
            commit: nil
        )
        event.id = number
        return try ChangeBoard.Happening(event)
    }

    @Test
    func `events come from the board while it keeps them, and else from the journal`() throws {
        var limits = ChangeBoard.Limits()
        limits.events = 3
        var board = try self.board(limits)
        board.take(try (8...12).map { try self.happening($0, $0 == 11 ? "b/1" : "a/1") }, newest: 12)
        var reader = ChangeBoard.Reader(WatchPlace(event: 9, start: "x", change: 3))
        #expect(try self.read(board, &reader, .namespace("a"), bytes: 1) == ["transition"])
        #expect(reader.place.event == 10)
        #expect(try self.read(board, &reader, .namespace("a")) == ["transition"])
        #expect(reader.place.event == 12)
        var late = ChangeBoard.Reader(WatchPlace(event: 7, start: "x", change: 3))
        guard case .events(let after) = try board.read(&late, of: .fleet, bytes: 1) else {
            Issue.record("8 and 9 are not kept")
            return
        }
        #expect(after == 7)
        var newer = ChangeBoard.Reader(WatchPlace(event: 99, start: "x", change: 3))
        #expect(try self.read(board, &newer).isEmpty, "of a journal that is gone")
        #expect(newer.place.event == 12)
    }

    @Test(arguments: ["412.k3x9.77", "0.0.0", "412"])
    func `a place is read as it is written`(text: String) throws {
        let place = try #require(WatchPlace(text))
        #expect(place.description == (text == "412" ? "412.0.0" : text))
    }

    @Test(arguments: ["", "x", "-1", "1.x", "1.x.-1", "1.x.2.3", "1..", "99999999999999999999"])
    func `anything else is no place`(text: String) {
        #expect(WatchPlace(text) == nil)
    }
}
