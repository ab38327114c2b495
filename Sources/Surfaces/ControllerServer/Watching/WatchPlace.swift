/// How far somebody has read: the `id` of a server-sent event, `412.k3x9.77`.
///
/// What happened has a number that outlives the controller; what changed has one that begins anew with it.
struct WatchPlace: Hashable, Sendable, CustomStringConvertible {
    /// The number of the last event that was told; nothing for whoever begins.
    var event: Int64?
    /// Which controller counted the changes.
    var start: String?
    /// The number of the last change that was told.
    var change: UInt64 = 0

    init() {}

    init(event: Int64?, start: String, change: UInt64) {
        self.event = event
        self.start = start
        self.change = change
    }

    /// Reads what `description` writes, or the number of an event alone.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let first = parts.first, let event = Int64(first), event >= 0 else { return nil }
        self.event = event
        if parts.count == 1 { return }
        guard parts.count == 3, parts[1].utf8.count <= 32, let change = UInt64(parts[2]) else { return nil }
        self.start = String(parts[1])
        self.change = change
    }

    var description: String { "\(self.event ?? 0).\(self.start ?? "0").\(self.change)" }
}
