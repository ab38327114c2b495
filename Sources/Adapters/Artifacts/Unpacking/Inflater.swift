import CZlib
import Reconciliation

/// Decompresses gzip or bare deflate data piece by piece.
final class Inflater {
    enum Format {
        case gzip
        /// As zip files hold it, without a header.
        case deflate
    }

    private let stream: UnsafeMutablePointer<z_stream>
    private let format: Format
    private var input: [UInt8] = []
    private var position = 0
    private var hasEnded = false

    /// Of output; input comes as the source gives it.
    private static let pieceSize = 256 << 10

    init(_ format: Format) throws(ArtifactError) {
        self.format = format
        self.stream = .allocate(capacity: 1)
        self.stream.initialize(to: z_stream())
        // 15 is the largest window; 16 more wants gzip's header, negative wants none.
        guard zlib_inflate_init(self.stream, format == .gzip ? 15 + 16 : -15) == Z_OK else {
            throw ArtifactError(code: .storage, message: "not enough memory to decompress", recovery: .retry)
        }
    }

    deinit {
        inflateEnd(self.stream)
        self.stream.deallocate()
    }

    /// The next piece; empty at the end. `more` gives compressed bytes, none at its end.
    func next(more: () throws(ArtifactError) -> [UInt8]) throws(ArtifactError) -> [UInt8] {
        while !self.hasEnded {
            if self.position == self.input.count {
                self.input = try more()
                self.position = 0
                guard !self.input.isEmpty else { throw Self.broken("ends early; copy it here anew") }
            }
            var code = Z_OK
            let output = self.inflateOnce(&code)
            switch code {
            case Z_OK, Z_BUF_ERROR:
                break
            case Z_STREAM_END:
                try self.endMember(more: more)
            default:
                throw Self.broken("has broken compressed data; pack it anew")
            }
            if !output.isEmpty { return output }
        }
        return []
    }

    private func inflateOnce(_ code: inout Int32) -> [UInt8] {
        var result = Z_OK
        let output = [UInt8](unsafeUninitializedCapacity: Self.pieceSize) { buffer, initialized in
            self.input.withUnsafeMutableBufferPointer { input in
                self.stream.pointee.next_in = input.baseAddress.map { $0 + self.position }
                self.stream.pointee.avail_in = UInt32(input.count - self.position)
                self.stream.pointee.next_out = buffer.baseAddress
                self.stream.pointee.avail_out = UInt32(Self.pieceSize)
                result = inflate(self.stream, Z_NO_FLUSH)
                self.position = input.count - Int(self.stream.pointee.avail_in)
                initialized = Self.pieceSize - Int(self.stream.pointee.avail_out)
            }
        }
        code = result
        return output
    }

    /// A gzip file may be several, one after another, as parallel compressors write it.
    private func endMember(more: () throws(ArtifactError) -> [UInt8]) throws(ArtifactError) {
        guard self.format == .gzip else {
            self.hasEnded = true
            return
        }
        if self.position == self.input.count {
            self.input = try more()
            self.position = 0
        }
        // Anything else after a member is padding, which gzip ignores as well.
        if self.position < self.input.count, self.input[self.position] == 0x1F {
            inflateReset(self.stream)
        } else {
            self.hasEnded = true
        }
    }

    static func broken(_ what: String) -> ArtifactError {
        ArtifactError(code: .badArchive, message: "the archive \(what)", recovery: .needsOperator)
    }
}
