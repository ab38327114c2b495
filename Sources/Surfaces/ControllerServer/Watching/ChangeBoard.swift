import ControllerAPI
import Deployments
import NIOCore

/// The fleet in short form, each deployment with the number of its last change, and the last changes and events.
///
/// Whoever watches remembers how far it has read and takes what is newer, each deployment as it is by then: a slow one
/// skips what was overtaken, and nothing is kept for it.
struct ChangeBoard: Sendable {
    /// Which board counted the changes.
    let start: String
    private(set) var change: UInt64 = 0
    /// The number of the newest event; nothing before the journal was looked at.
    private(set) var event: Int64?
    private var entries: [DeploymentID: Entry] = [:]
    private var names: [DeploymentID] = []
    /// Consecutive; the last one has the number ``change``.
    private var changes: [DeploymentID] = []
    private var events: [Happening] = []
    private let limits: Limits

    struct Limits: Sendable {
        /// A second of a fleet in which everything changes.
        var changes = 16_384
        /// One larger read of the journal.
        var events = 1024
    }

    private struct Entry {
        var summary: DeploymentSummary
        var message: ByteBuffer
        var change: UInt64
    }

    struct Happening: Sendable {
        var number: Int64
        var deployment: DeploymentID
        var message: ByteBuffer

        init(_ event: EventStatus) throws {
            self.number = event.id ?? 0
            self.deployment = DeploymentID(event.deployment) ?? DeploymentID(namespace: "", name: "")
            self.message = try ServerSentEvent.message("transition", event)
        }
    }

    init(start: String, limits: Limits = Limits()) {
        self.start = start
        self.limits = limits
    }

    /// - Returns: Whether that is news.
    func isNews(_ summary: DeploymentSummary, of id: DeploymentID) -> Bool { self.entries[id]?.summary != summary }

    /// Those that are not in a sorted list.
    func missing(in names: [DeploymentID]) -> [DeploymentID] {
        if self.names == names { return [] }
        let known = Set(names)
        return self.names.filter { !known.contains($0) }
    }

    /// - Parameters:
    ///   - news: What changed, as it is to be told.
    ///   - gone: What is no more.
    ///   - names: All that there are, sorted.
    mutating func take(
        _ news: [(id: DeploymentID, summary: DeploymentSummary, message: ByteBuffer)],
        gone: [DeploymentID],
        names: [DeploymentID]
    ) {
        for (id, summary, message) in news {
            self.change += 1
            self.entries[id] = Entry(summary: summary, message: message, change: self.change)
            self.changes.append(id)
        }
        for id in gone {
            self.change += 1
            self.entries[id] = nil
            self.changes.append(id)
        }
        self.names = names
        // By halves, so that each is moved but once.
        if self.changes.count > self.limits.changes { self.changes.removeFirst(self.changes.count / 2) }
    }

    /// The events after the last, oldest first, and the number of the newest of all.
    mutating func take(_ events: [Happening], newest: Int64) {
        self.event = newest
        self.events += events
        if self.events.count > self.limits.events { self.events.removeFirst(self.events.count - self.limits.events) }
    }

    // MARK: - Reading

    /// What comes next for somebody.
    enum Reading {
        case messages([ByteBuffer])
        /// Older events than are kept: to be read from the journal.
        case events(after: Int64)
        case nothing
    }

    /// How far somebody is in reading.
    struct Reader: Sendable {
        var place: WatchPlace
        /// The first deployment that is still to be listed, and the number of the change that the list began with.
        private(set) var listing: Listing?

        struct Listing: Sendable {
            var from: DeploymentID?
            var change: UInt64
        }

        init(_ place: WatchPlace) { self.place = place }

        fileprivate mutating func list(_ listing: Listing?) { self.listing = listing }
    }

    /// The next for one who watches, about so many bytes at once.
    func read(_ reader: inout Reader, of scope: WatchScope, bytes: Int) throws -> Reading {
        if let event = self.event {
            guard let read = reader.place.event, read <= event else {
                // Whoever begins is told what there is, and what happens from now on; so is who knows a newer journal.
                reader.place.event = event
                return try self.read(&reader, of: scope, bytes: bytes)
            }
            if read < event {
                guard let messages = self.readEvents(after: read, of: scope, bytes: bytes, &reader) else {
                    return .events(after: read)
                }
                if !messages.isEmpty { return .messages(messages) }
            }
        }
        if let listing = reader.listing { return .messages(self.list(listing, &reader, of: scope, bytes: bytes)) }
        let oldest = self.change - UInt64(self.changes.count)
        guard reader.place.start == self.start, (oldest...self.change).contains(reader.place.change) else {
            let places = scope.places(in: self.names)
            let count = places.count { scope.contains(self.names[$0]) }
            let beginning = try ServerSentEvent.message("reset", ServerSentEvent.Beginning(deployments: count))
            let listing = Reader.Listing(from: nil, change: self.change)
            return .messages([beginning] + self.list(listing, &reader, of: scope, bytes: bytes))
        }
        return try self.readChanges(after: oldest, &reader, of: scope, bytes: bytes)
    }

    /// - Returns: Nothing when the oldest of them are not kept.
    private func readEvents(
        after number: Int64,
        of scope: WatchScope,
        bytes: Int,
        _ reader: inout Reader
    ) -> [ByteBuffer]? {
        guard let first = self.events.first, first.number <= number + 1 else { return nil }
        var (messages, size): ([ByteBuffer], Int) = ([], 0)
        let start = self.events.partitioningIndex { $0.number > number }
        for happening in self.events[start...] {
            guard size < bytes else { return messages }
            reader.place.event = happening.number
            guard scope.contains(happening.deployment) else { continue }
            messages.append(happening.message)
            size += happening.message.readableBytes
        }
        reader.place.event = self.event
        return messages
    }

    private func list(
        _ listing: Reader.Listing,
        _ reader: inout Reader,
        of scope: WatchScope,
        bytes: Int
    ) -> [ByteBuffer] {
        var places = scope.places(in: self.names)
        if let from = listing.from {
            let first = min(max(places.lowerBound, self.names.firstIndex(notBefore: from)), places.upperBound)
            places = first..<places.upperBound
        }
        var (messages, size): ([ByteBuffer], Int) = ([], 0)
        for place in places {
            guard size < bytes else {
                reader.list(Reader.Listing(from: self.names[place], change: listing.change))
                return messages
            }
            let id = self.names[place]
            guard scope.contains(id), let message = self.entries[id]?.message else { continue }
            messages.append(message)
            size += message.readableBytes
        }
        reader.list(nil)
        // What changed while it was listed is told again.
        (reader.place.start, reader.place.change) = (self.start, listing.change)
        return messages
    }

    private func readChanges(
        after oldest: UInt64,
        _ reader: inout Reader,
        of scope: WatchScope,
        bytes: Int
    ) throws -> Reading {
        var (messages, size): ([ByteBuffer], Int) = ([], 0)
        var index = Int(reader.place.change - oldest)
        while index < self.changes.count, size < bytes {
            let id = self.changes[index]
            index += 1
            reader.place.change = oldest + UInt64(index)
            guard scope.contains(id) else { continue }
            let message: ByteBuffer
            if let entry = self.entries[id] {
                // It changed again: that is told in its place.
                guard entry.change == reader.place.change else { continue }
                message = entry.message
            } else {
                message = try ServerSentEvent.message(
                    "removed",
                    ServerSentEvent.Removal(namespace: id.namespace, name: id.name)
                )
            }
            messages.append(message)
            size += message.readableBytes
        }
        return messages.isEmpty ? .nothing : .messages(messages)
    }
}

extension Array {
    /// The first place of which something is true, that is true of all behind it.
    fileprivate func partitioningIndex(where isBehind: (Element) -> Bool) -> Int {
        var (low, high) = (0, self.count)
        while low < high {
            let middle = (low + high) / 2
            if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
