import ControllerAPI
import Deployments

/// Prints what replicas wrote, whole lines only while they go on writing.
struct LogReader {
    let client: ControllerClient
    let id: DeploymentID
    let console: Console
    private var places: [String: Place] = [:]

    private struct Place {
        var next: Int64
        /// The beginning of a line whose end is not there yet.
        var rest = ""
    }

    init(client: ControllerClient, id: DeploymentID, console: Console) {
        self.client = client
        self.id = id
        self.console = console
    }

    /// The last lines of one of `count` logs, as far as they are in one answer; a line without an end only when nobody
    /// goes on.
    mutating func show(_ replica: String, last lines: Int, of count: Int, goesOn: Bool) async throws {
        let piece = try await self.client.log(replica, of: self.id, from: -Int64(APIRoute.logLimit))
        var all = piece.text.split(separator: "\n", omittingEmptySubsequences: false)
        let rest = all.popLast().map(String.init) ?? ""
        self.places[replica] = Place(next: piece.next, rest: rest)
        if !goesOn, !rest.isEmpty { all.append(rest[...]) }
        try self.write(all.suffix(lines), replica, count)
    }

    /// What is new in one of `count` logs.
    mutating func goOn(_ replica: String, of count: Int) async throws {
        var place = self.places[replica, default: Place(next: 0)]
        let piece = try await self.client.log(replica, of: self.id, from: place.next)
        if piece.offset != place.next { place.rest = "" }  // it was cut, and begins anew
        place.next = piece.next
        var lines = (place.rest + piece.text).split(separator: "\n", omittingEmptySubsequences: false)
        place.rest = lines.popLast().map(String.init) ?? ""
        self.places[replica] = place
        try self.write(lines[...], replica, count)
    }

    private func write(_ lines: ArraySlice<Substring>, _ replica: String, _ count: Int) throws {
        for line in lines {
            let whose = count > 1 ? StyledText("\(replica)  ", .dim) : StyledText("")
            try self.console.print(whose + StyledText(Self.plain(line)))
        }
    }

    /// Without what programs write for terminals: colours, and the carriage returns of progress bars.
    private static func plain(_ line: Substring) -> String {
        let text = line.replacing(/\u{1b}\[[0-9;?]*[A-Za-z]/, with: "").replacing("\t", with: "    ")
        return String(text.split(separator: "\r").last ?? "")
    }
}
