import Foundation
import Glibc

/// The file that a replica's output goes to.
struct ReplicaLog: Sendable {
    let path: String
    /// Bytes.
    let limit: Int

    /// Bytes now; 0 without a file.
    var size: Int {
        let file = open(self.path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        return max(0, lseek(file, 0, SEEK_END))
    }

    /// Once the file is over the limit, keeps only its end, in a second file. The replica may go on writing meanwhile:
    /// it appends, so it goes on at the new end.
    func bound() {
        guard self.size > self.limit else { return }
        let end = self.read(from: self.size - self.limit / 4)
        // Without room for the older lines there is none for the newer ones either: these matter more.
        try? end.write(to: URL(filePath: "\(self.path).1"))
        truncate(self.path, 0)
    }

    /// The last lines since `start`, made safe to show: at most three and 400 characters, no control characters.
    func tail(since start: Int) -> String {
        let size = self.size
        // A file that is smaller than it was has been bounded meanwhile.
        let bytes = self.read(from: max(start <= size ? start : 0, size - 4096))
        let text = String(decoding: bytes, as: UTF8.self).replacing(/\u{1b}\[[0-9;?]*[A-Za-z]/, with: "")
        let lines = text.split(whereSeparator: \.isNewline)
            .map { $0.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        return printable(lines.suffix(3).joined(separator: " / "), keepingLast: 400)
    }

    private func read(from offset: Int) -> Data {
        // A file that cannot be read has no tail to show, which is no reason to fail.
        guard let file = FileHandle(forReadingAtPath: self.path),
            (try? file.seek(toOffset: UInt64(max(offset, 0)))) != nil
        else { return Data() }
        defer { try? file.close() }
        return (try? file.read(upToCount: max(self.limit / 4, 4096))) ?? Data()
    }
}

/// Text from a program that is not ours, without control characters, and not longer than `limit`.
func printable(_ text: String, keepingFirst limit: Int) -> String {
    let clean = text.prefix(limit + 1).map(visible)
    return clean.count > limit ? String(clean.prefix(limit)) + "…" : String(clean)
}

/// As above, keeping the end.
func printable(_ text: String, keepingLast limit: Int) -> String {
    let clean = text.suffix(limit + 1).map(visible)
    return clean.count > limit ? "…" + String(clean.suffix(limit)) : String(clean)
}

private func visible(_ character: Character) -> Character {
    // Format characters can turn the direction of writing around.
    let isHidden = character.unicodeScalars.contains { scalar in
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: true
        default: false
        }
    }
    return isHidden ? "\u{fffd}" : character
}
