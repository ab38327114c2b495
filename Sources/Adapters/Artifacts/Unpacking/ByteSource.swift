/// The bytes of an archive from its start to its end, decompressed.
final class ByteSource {
    private let file: OpenFile
    private let inflater: Inflater?
    private var buffer: [UInt8] = []
    private var position = 0

    init(path: String, isGzip: Bool) throws(ArtifactError) {
        self.file = try OpenFile(reading: path)
        self.inflater = isGzip ? try Inflater(.gzip) : nil
    }

    /// At least one byte and at most `count`; none at the end.
    func read(upTo count: Int) throws(ArtifactError) -> [UInt8] {
        if self.position == self.buffer.count {
            self.buffer =
                if let inflater {
                    try inflater.next { () throws(ArtifactError) in try self.file.read() }
                } else { try self.file.read() }
            self.position = 0
        }
        let piece = self.buffer[self.position...].prefix(count)
        self.position += piece.count
        return Array(piece)
    }

    /// Exactly `count` bytes.
    func read(exactly count: Int) throws(ArtifactError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let piece = try self.read(upTo: count - bytes.count)
            guard !piece.isEmpty else { throw Inflater.broken("ends early; copy it here anew") }
            bytes += piece
        }
        return bytes
    }
}
