import CZlib
import Reconciliation

/// Reads zip files: stored and deflated members, zip64 included.
///
/// Format: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.5.3. The central directory alone says what there is.
struct ZipArchive: ~Copyable {
    private let file: OpenFile
    private let size: Int64

    init(path: String) throws(ArtifactError) {
        let file = try OpenFile(reading: path)
        self.size = try file.status().bytes
        self.file = file
    }

    /// The central directory is read as a whole: 100,000 members have about 10 MB.
    private static let maxDirectory: Int64 = 64 << 20

    private struct Member {
        var name: [UInt8]
        var flags: UInt16
        var method: UInt16
        var checksum: UInt32
        var compressed: Int64
        var size: Int64
        var mode: UInt32
        var offset: Int64

        /// Written by Unix, the upper half of the attributes is the file's mode.
        var isLink: Bool { self.mode & 0o170000 == 0o120000 }
        var isSpecial: Bool {
            let kind = self.mode & 0o170000
            return kind != 0 && kind != 0o100000 && kind != 0o040000 && kind != 0o120000
        }
    }

    /// Writes all members.
    func unpack(into tree: inout TreeWriter) async throws(ArtifactError) {
        let directory = try self.readDirectory()
        var position = 0
        while position + 46 <= directory.count, directory.number32(position) == 0x0201_4B50 {
            try await ArtifactError.checkpoint()
            let member = try Self.member(in: directory, at: &position)
            try await self.unpack(member, into: &tree)
        }
    }

    private func unpack(_ member: Member, into tree: inout TreeWriter) async throws(ArtifactError) {
        let isFolder = member.name.last == UInt8(ascii: "/")
        guard let path = try MemberPath(member.name) else { return }
        guard member.flags & 1 == 0 else { throw Inflater.broken("is encrypted; pack it anew without a password") }
        guard !member.isSpecial else {
            throw Inflater.broken("has \(path), a device or pipe; pack it anew with plain files only")
        }
        if isFolder { return try tree.addFolder(path) }
        let content = try ZipContent(
            file: self.file.path,
            member.method,
            at: try self.start(of: member),
            member.compressed
        )
        if member.isLink {
            var target: [UInt8] = []
            while case let piece = try content.next(), !piece.isEmpty, target.count <= 4096 {
                target += piece
            }
            try tree.addLink(path, to: String(decoding: target, as: UTF8.self))
            return
        }
        var checksum: UInt = 0
        var bytes: Int64 = 0
        try await tree.addFile(path, isExecutable: member.mode & 0o100 != 0) { () throws(ArtifactError) in
            let piece = try content.next()
            checksum = piece.withUnsafeBufferPointer { crc32(checksum, $0.baseAddress, UInt32($0.count)) }
            bytes += Int64(piece.count)
            // Before it is written: the announced size is a limit, too.
            guard bytes <= member.size else { throw Inflater.broken("has more in \(path) than it announces") }
            return piece
        }
        guard bytes == member.size, checksum == UInt(member.checksum) else {
            throw Inflater.broken("has a broken file \(path); copy it here anew")
        }
    }

    /// Where a member's data begins: after its local header, whose name and extra field have lengths of their own.
    private func start(of member: Member) throws(ArtifactError) -> Int64 {
        let header = try self.read(30, at: member.offset)
        guard header.number32(0) == 0x0403_4B50 else { throw Self.unreadable }
        return member.offset + 30 + Int64(header.number16(26)) + Int64(header.number16(28))
    }

    private func readDirectory() throws(ArtifactError) -> [UInt8] {
        // The end record is 22 bytes and a comment of at most 65,535.
        let tailSize = min(self.size, 22 + 65_535)
        guard tailSize >= 22 else { throw Self.unreadable }
        let tail = try self.read(Int(tailSize), at: self.size - tailSize)
        guard
            let end = stride(from: tail.count - 22, through: 0, by: -1).first(where: {
                tail.number32($0) == 0x0605_4B50
            })
        else { throw Self.unreadable }
        var length = Int64(tail.number32(end + 12))
        var offset = Int64(tail.number32(end + 16))
        if end >= 20, tail.number32(end - 20) == 0x0706_4B50 {
            let record = try self.read(56, at: try Self.checked(tail.number64(end - 12)))
            guard record.number32(0) == 0x0606_4B50 else { throw Self.unreadable }
            length = try Self.checked(record.number64(40))
            offset = try Self.checked(record.number64(48))
        }
        guard length <= Self.maxDirectory else { throw Self.unreadable }
        return try self.read(Int(length), at: offset)
    }

    private static func member(in directory: [UInt8], at position: inout Int) throws(ArtifactError) -> Member {
        let start = position
        let nameEnd = start + 46 + Int(directory.number16(start + 28))
        let extraEnd = nameEnd + Int(directory.number16(start + 30))
        position = extraEnd + Int(directory.number16(start + 32))
        guard position <= directory.count else { throw Self.unreadable }
        var member = Member(
            name: Array(directory[(start + 46)..<nameEnd]),
            flags: directory.number16(start + 8),
            method: directory.number16(start + 10),
            checksum: directory.number32(start + 16),
            compressed: Int64(directory.number32(start + 20)),
            size: Int64(directory.number32(start + 24)),
            mode: directory[start + 5] == 3 ? directory.number32(start + 38) >> 16 : 0,
            offset: Int64(directory.number32(start + 42))
        )
        var field = nameEnd
        while field + 4 <= extraEnd {
            let length = Int(directory.number16(field + 2))
            guard field + 4 + length <= extraEnd else { break }
            if directory.number16(field) == 1 {
                try Self.widen(&member, from: Array(directory[(field + 4)..<(field + 4 + length)]))
            }
            field += 4 + length
        }
        return member
    }

    /// The zip64 field holds, in this order, those values that are all ones in the entry itself.
    private static func widen(_ member: inout Member, from field: [UInt8]) throws(ArtifactError) {
        var position = 0
        for value in [\Member.size, \Member.compressed, \Member.offset] where member[keyPath: value] == 0xFFFF_FFFF {
            guard position + 8 <= field.count else { throw Self.unreadable }
            member[keyPath: value] = try Self.checked(field.number64(position))
            position += 8
        }
    }

    private func read(_ count: Int, at offset: Int64) throws(ArtifactError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let piece = try self.file.read(upTo: count - bytes.count, at: offset + Int64(bytes.count))
            guard !piece.isEmpty else { throw Self.unreadable }
            bytes += piece
        }
        return bytes
    }

    /// Far above any file, far below what could overflow.
    private static func checked(_ number: UInt64) throws(ArtifactError) -> Int64 {
        guard number < 1 << 60 else { throw self.unreadable }
        return Int64(number)
    }

    static let unreadable = ArtifactError(
        code: .badArchive,
        message: "the archive is no zip file, or broken; check what the model's uri points to",
        recovery: .needsOperator
    )
}

/// The content of one member of a zip file.
final class ZipContent {
    private let file: OpenFile
    private let inflater: Inflater?
    private var position: Int64
    private let end: Int64

    init(file: String, _ method: UInt16, at start: Int64, _ length: Int64) throws(ArtifactError) {
        guard method == 0 || method == 8 else {
            throw Inflater.broken("is compressed by method \(method); pack it anew with deflate (zip's default)")
        }
        self.file = try OpenFile(reading: file)
        // Without any compressed data there is no stream to inflate.
        self.inflater = method == 8 && length > 0 ? try Inflater(.deflate) : nil
        self.position = start
        self.end = start + length
    }

    /// Empty at the end.
    func next() throws(ArtifactError) -> [UInt8] {
        if let inflater { return try inflater.next { () throws(ArtifactError) in try self.read() } }
        return try self.read()
    }

    private func read() throws(ArtifactError) -> [UInt8] {
        let count = Int(min(self.end - self.position, Int64(OpenFile.pieceSize)))
        guard count > 0 else { return [] }
        let bytes = try self.file.read(upTo: count, at: self.position)
        guard !bytes.isEmpty else { throw ZipArchive.unreadable }
        self.position += Int64(bytes.count)
        return bytes
    }
}

extension [UInt8] {
    /// Little-endian.
    fileprivate func number16(_ offset: Int) -> UInt16 {
        UInt16(self[offset]) | UInt16(self[offset + 1]) << 8
    }

    fileprivate func number32(_ offset: Int) -> UInt32 {
        UInt32(self.number16(offset)) | UInt32(self.number16(offset + 2)) << 16
    }

    fileprivate func number64(_ offset: Int) -> UInt64 {
        UInt64(self.number32(offset)) | UInt64(self.number32(offset + 4)) << 32
    }
}
