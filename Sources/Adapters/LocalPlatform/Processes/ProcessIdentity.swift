import Foundation

/// Which process is meant, beyond the number that the kernel gives out again.
package struct ProcessIdentity: Codable, Hashable, Sendable {
    package var pid: Int32
    /// Clock ticks from the boot to the start of the process: field 22 of `/proc/PID/stat`.
    package var startTime: UInt64
    /// `/proc/sys/kernel/random/boot_id`: start times of another boot mean nothing.
    package var bootID: String

    package init(pid: Int32, startTime: UInt64, bootID: String) {
        self.pid = pid
        self.startTime = startTime
        self.bootID = bootID
    }

    /// The identity of the process that has this number now; a zombie's too.
    package init?(pid: Int32) {
        guard let stat = ProcessStat(pid: pid), let bootID = Self.currentBootID else { return nil }
        self.init(pid: pid, startTime: stat.startTime, bootID: bootID)
    }

    /// The id of this boot; nothing where `/proc` is not mounted.
    package static let currentBootID: String? = {
        guard let bytes = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") else { return nil }
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }()
}

/// What `/proc/PID/stat` says about a process, as far as it is needed here.
struct ProcessStat: Hashable, Sendable {
    var state: Character
    var group: Int32
    var session: Int32
    var startTime: UInt64

    /// A zombie or a process that is being removed: it ended, whether or not its parent took notice.
    var isEnded: Bool { self.state == "Z" || self.state == "X" }

    init?(pid: Int32) {
        guard let bytes = FileManager.default.contents(atPath: "/proc/\(pid)/stat") else { return nil }
        self.init(text: String(decoding: bytes, as: UTF8.self))
    }

    /// Reads the text after the program's name, which is in parentheses and may itself hold spaces and parentheses.
    init?(text: String) {
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        // The first field here is the third of the file, the state.
        guard fields.count > 19, let state = fields[0].first, let group = Int32(fields[2]),
            let session = Int32(fields[3]), let startTime = UInt64(fields[19])
        else { return nil }
        self.state = state
        self.group = group
        self.session = session
        self.startTime = startTime
    }

    /// The numbers of all processes that can be seen; nothing where `/proc` can't be read, as without a descriptor.
    static func allProcesses() -> [Int32]? {
        // Why not is the same to all who ask: they know nothing then.
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: "/proc") else { return nil }
        return names.compactMap { Int32($0) }
    }
}
