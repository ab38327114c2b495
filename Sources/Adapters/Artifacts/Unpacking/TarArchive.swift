/// Reads tar files of the formats ustar, pax and GNU.
///
/// Formats: POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
struct TarArchive {
    private let source: ByteSource

    init(path: String, isGzip: Bool) throws(ArtifactError) {
        self.source = try ByteSource(path: path, isGzip: isGzip)
    }

    private static let blockSize = 512
    /// Of long names and pax records, which are read as a whole.
    private static let maxExtension: Int64 = 1 << 20
    /// tar fills its last record, usually of 10 KiB.
    private static let maxPadding = 16 << 20

    /// What an extension header says of the member after it.
    private struct Overrides {
        var path: [UInt8]?
        var link: [UInt8]?
        var size: Int64?
    }

    private struct Header {
        var path: [UInt8]
        var link: [UInt8]
        var size: Int64
        var isExecutable: Bool
        var kind: UInt8
    }

    /// Writes all members.
    func unpack(into tree: inout TreeWriter) async throws(ArtifactError) {
        var overrides = Overrides()
        while let header = try self.readHeader() {
            try await ArtifactError.checkpoint()
            switch header.kind {
            case UInt8(ascii: "x"):
                try self.readRecords(size: header.size, into: &overrides)
            case UInt8(ascii: "L"):
                overrides.path = try self.readName(size: header.size)
            case UInt8(ascii: "K"):
                overrides.link = try self.readName(size: header.size)
            case UInt8(ascii: "g"):
                // Records for all members: comments, in practice (git archive's commit).
                _ = try self.readExtension(size: header.size)
            default:
                try await self.unpackMember(header, overrides, into: &tree)
                overrides = Overrides()
            }
        }
        try await self.drain()
    }

    /// Reads the padding after the end, because only then gzip's checksum has been compared.
    private func drain() async throws(ArtifactError) {
        var rest = Self.maxPadding
        while case let piece = try self.source.read(upTo: OpenFile.pieceSize), !piece.isEmpty {
            rest -= piece.count
            guard rest >= 0 else { throw Inflater.broken("goes on after its end; pack it anew") }
            try await ArtifactError.checkpoint()
        }
    }

    private func unpackMember(
        _ header: Header,
        _ overrides: Overrides,
        into tree: inout TreeWriter
    ) async throws(ArtifactError) {
        let size = overrides.size ?? header.size
        let target = overrides.link ?? header.link
        let path = try MemberPath(overrides.path ?? header.path)
        switch header.kind {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"):
            guard let path else { throw Inflater.broken("has a file without a name; pack it anew") }
            var rest = size
            let source = self.source
            try await tree.addFile(path, isExecutable: header.isExecutable) { () throws(ArtifactError) in
                guard rest > 0 else { return [] }
                let piece = try source.read(upTo: Int(min(rest, Int64(OpenFile.pieceSize))))
                guard !piece.isEmpty else { throw Inflater.broken("ends early; copy it here anew") }
                rest -= Int64(piece.count)
                return piece
            }
            try self.skipPadding(after: size)
        case UInt8(ascii: "5"):
            if let path { try tree.addFolder(path) }
        case UInt8(ascii: "1"):
            guard let path, let original = try MemberPath(target) else {
                throw Inflater.broken("has a link without a name; pack it anew")
            }
            try tree.addName(path, of: original)
        case UInt8(ascii: "2"):
            guard let path, let text = String(validating: target, as: UTF8.self) else {
                throw Inflater.broken("has a link without a name; pack it anew")
            }
            try tree.addLink(path, to: text)
        default:
            let name = path.map(\.description) ?? "."
            throw Inflater.broken(
                "has \(name) of the kind \(header.kind), such as a device, a pipe or a sparse file; "
                    + "pack it anew with plain files only"
            )
        }
    }

    private func readHeader() throws(ArtifactError) -> Header? {
        let block = try self.source.read(exactly: Self.blockSize)
        if block.allSatisfy({ $0 == 0 }) { return nil }
        // The checksum counts its own field as spaces.
        let sum = block.enumerated().reduce(0) { $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element)) }
        guard let checksum = Self.number(block[148..<156]), checksum == Int64(sum) else {
            throw Inflater.broken("is no tar file, or broken; check what the model's uri points to")
        }
        guard let size = Self.number(block[124..<136]), let mode = Self.number(block[100..<108]) else {
            throw Inflater.broken("has a member of unreadable size; pack it anew")
        }
        var path = Self.text(block[0..<100])
        let prefix = Self.text(block[345..<500])
        // GNU's own format has other things in the place of ustar's prefix; it ends "ustar" with a space.
        if !prefix.isEmpty, Array(block[257..<263]) == Array("ustar\0".utf8) {
            path = prefix + [UInt8(ascii: "/")] + path
        }
        return Header(
            path: path,
            link: Self.text(block[157..<257]),
            size: size,
            isExecutable: mode & 0o100 != 0,
            kind: block[156]
        )
    }

    private func readExtension(size: Int64) throws(ArtifactError) -> [UInt8] {
        guard size <= Self.maxExtension else { throw Inflater.broken("has a header of \(size) bytes; pack it anew") }
        let bytes = try self.source.read(exactly: Int(size))
        try self.skipPadding(after: size)
        return bytes
    }

    private func readName(size: Int64) throws(ArtifactError) -> [UInt8] {
        Self.text(try self.readExtension(size: size)[...])
    }

    /// Records `<length> <key>=<value>\n`, the length counting all of it.
    private func readRecords(size: Int64, into overrides: inout Overrides) throws(ArtifactError) {
        var rest = try self.readExtension(size: size)[...]
        while !rest.isEmpty {
            guard
                let space = rest.firstIndex(of: UInt8(ascii: " ")),
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)),
                length > space - rest.startIndex + 1, length <= rest.count
            else { throw Inflater.broken("has a broken pax header; pack it anew") }
            let record = rest[(space + 1)..<(rest.startIndex + length - 1)]
            rest = rest.dropFirst(length)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let value = Array(record[(equals + 1)...])
            switch String(decoding: record[..<equals], as: UTF8.self) {
            case "path":
                overrides.path = value
            case "linkpath":
                overrides.link = value
            case "size":
                guard let size = Int64(String(decoding: value, as: UTF8.self)), size >= 0 else {
                    throw Inflater.broken("has a member of unreadable size; pack it anew")
                }
                overrides.size = size
            case let key where key.hasPrefix("GNU.sparse."):
                throw Inflater.broken("has a sparse file; pack it anew without --sparse")
            default:
                break
            }
        }
    }

    private func skipPadding(after size: Int64) throws(ArtifactError) {
        let over = Int(size % Int64(Self.blockSize))
        if over > 0 { _ = try self.source.read(exactly: Self.blockSize - over) }
    }

    /// Octal digits, or GNU's base 256 for what does not fit.
    private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        if let first = field.first, first & 0x80 != 0 {
            var value: Int64 = Int64(first & 0x7F)
            for byte in field.dropFirst() {
                guard value < 1 << 54 else { return nil }
                value = value << 8 | Int64(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 0x20 }.prefix { (0x30...0x37).contains($0) }
        return digits.isEmpty ? 0 : Int64(String(decoding: digits, as: UTF8.self), radix: 8)
    }

    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] {
        Array(field.prefix { $0 != 0 })
    }
}
