import ControllerAPI
import Foundation
import Glibc

/// The controllers that somebody knows by a name, in `contexts.json` of their own configuration folder, and beside it
/// a file for each token: mode 0600, in a folder of mode 0700.
struct ContextFile: Sendable {
    struct Contents: Codable, Hashable {
        /// What is asked when nothing else is named.
        var current: String?
        var contexts: [String: Entry] = [:]
    }

    struct Entry: Codable, Hashable {
        var server: String
        var caFile: String?
        /// Of somebody else's making; nothing for the one beside this file.
        var tokenFile: String?
    }

    let folder: String

    /// The XDG Base Directory Specification's place.
    init(environment: [String: String]) {
        let home = environment["HOME", default: ""]
        let base = environment["XDG_CONFIG_HOME", default: ""]
        self.folder = (base.hasPrefix("/") ? base : "\(home)/.config") + "/controller"
    }

    private var path: String { "\(self.folder)/contexts.json" }

    func tokenPath(of name: String) -> String { "\(self.folder)/tokens/\(name)" }

    static func isName(_ name: String) -> Bool {
        name.utf8.count <= 64 && name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9._-]*/) != nil
    }

    func read() throws(CommandFailure) -> Contents {
        guard FileManager.default.fileExists(atPath: self.path) else { return Contents() }
        do {
            return try JSONDecoder().decode(Contents.self, from: try Data(contentsOf: URL(filePath: self.path)))
        } catch {
            throw CommandFailure(
                code: .usage,
                message: "\(self.path) cannot be read: mend it, or remove it and add the contexts anew"
            )
        }
    }

    func write(_ contents: Contents) throws(CommandFailure) {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            try self.write(try encoder.encode(contents), to: self.path)
        } catch let error as CommandFailure {
            throw error
        } catch {
            throw self.unwritable(self.path)
        }
    }

    func write(token: String, of name: String) throws(CommandFailure) {
        try self.write(Data("\(token)\n".utf8), to: self.tokenPath(of: name))
    }

    func removeToken(of name: String) {
        unlink(self.tokenPath(of: name))
    }

    /// For its owner alone, wholly or not at all.
    private func write(_ data: Data, to path: String) throws(CommandFailure) {
        let temporary = "\(path).new"
        do {
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            unlink(temporary)
            let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw self.unwritable(path) }
            let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            try file.write(contentsOf: data)
            try file.close()
            guard rename(temporary, path) == 0 else { throw self.unwritable(path) }
        } catch {
            throw self.unwritable(path)
        }
    }

    private func unwritable(_ path: String) -> CommandFailure {
        CommandFailure(code: .usage, message: "\(path) cannot be written: make the folder writable for you")
    }

    /// The first line of a file that nobody else can read.
    ///
    /// - Throws: Also when others could: whoever has the token can do what its owner can.
    static func token(in path: String) throws(CommandFailure) -> String {
        let attributes: [FileAttributeKey: Any]
        let content: Data
        do {
            attributes = try FileManager.default.attributesOfItem(atPath: path)
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            content = try file.read(upToCount: 32 << 10) ?? Data()
            try file.close()
        } catch {
            throw CommandFailure(code: .usage, message: "the token's file \(path) cannot be read")
        }
        let mode = (attributes[.posixPermissions] as? Int) ?? 0o777
        guard mode & 0o077 == 0 else {
            throw CommandFailure(
                code: .usage,
                message: "others may read the token in \(path): run `chmod 600 \(path)`, and have the token replaced "
                    + "if somebody may have"
            )
        }
        let line = content.split(separator: UInt8(ascii: "\n")).first ?? Data()
        let token = String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespaces)
        guard !token.isEmpty, token.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else {
            throw CommandFailure(code: .usage, message: "\(path) holds no token in its first line")
        }
        return token
    }
}
