import CZlib
import Decisions

/// Deflates records by the one before: two decisions that follow each other are nearly equal, so that what remains is
/// what changed. Reading one therefore needs those before it, from the beginning of its chapter.
enum DeltaCompression {
    struct Failure: Error {}

    /// - Throws: When there is no memory for it.
    static func deflated(_ bytes: [UInt8], by previous: [UInt8]) throws -> [UInt8] {
        var stream = z_stream()
        // Negative: without zlib's header and checksum; the record has a digest of its own.
        guard zlib_deflate_init(&stream, 6, -15) == Z_OK else { throw Failure() }
        defer { deflateEnd(&stream) }
        let dictionary = Array(previous.suffix(DecisionRecorder.window))
        guard deflateSetDictionary(&stream, dictionary, UInt32(dictionary.count)) == Z_OK else { throw Failure() }
        var input = bytes
        let capacity = Int(deflateBound(&stream, UInt(bytes.count)))
        var code = Z_OK
        let output = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
            input.withUnsafeMutableBufferPointer { input in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = buffer.baseAddress
                stream.avail_out = UInt32(capacity)
                code = deflate(&stream, Z_FINISH)
            }
            count = capacity - Int(stream.avail_out)
        }
        guard code == Z_STREAM_END else { throw Failure() }
        return output
    }

    /// - Throws: When the bytes are damaged, or are more than `limit` when inflated.
    static func inflated(_ bytes: [UInt8], by previous: [UInt8], limit: Int = 256 << 20) throws -> [UInt8] {
        var stream = z_stream()
        guard zlib_inflate_init(&stream, -15) == Z_OK else { throw Failure() }
        defer { inflateEnd(&stream) }
        let dictionary = Array(previous.suffix(DecisionRecorder.window))
        guard inflateSetDictionary(&stream, dictionary, UInt32(dictionary.count)) == Z_OK else { throw Failure() }
        var (input, output) = (bytes, [UInt8]())
        var code = Z_OK
        try input.withUnsafeMutableBufferPointer { input in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            while code == Z_OK {
                let piece = 64 << 10
                output += [UInt8](unsafeUninitializedCapacity: piece) { buffer, count in
                    stream.next_out = buffer.baseAddress
                    stream.avail_out = UInt32(piece)
                    code = inflate(&stream, Z_NO_FLUSH)
                    count = piece - Int(stream.avail_out)
                }
                guard output.count <= limit else { throw Failure() }
            }
        }
        guard code == Z_STREAM_END else { throw Failure() }
        return output
    }
}
