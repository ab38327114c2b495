import FoundationEssentials
import Reconciliation

/// The digests of artifacts whose manifests give none, one JSON object a line, in `pins.jsonl`.
///
/// A URI without a digest means what it meant when it was fetched first: what is served must not change without a
/// commit.
struct PinFile {
    let path: String
    private var pins: [String: Pin] = [:]

    private struct Pin: Codable {
        /// The URI's hash; it may hold secrets itself.
        var key: String
        /// For people.
        var uri: String
        var digest: String
    }

    init(path: String) {
        self.path = path
    }

    subscript(key: String) -> String? { self.pins[key]?.digest }

    mutating func load() throws(ArtifactError) {
        self.pins = [:]
        guard let bytes = try Folder.read(self.path) else { return }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            guard let pin = try? JSONDecoder().decode(Pin.self, from: Data(line)) else {
                // Guessing would un-pin an artifact.
                throw ArtifactError(
                    code: .storage,
                    message: "\(self.path) has a line that is no pin; restore the file, or remove it and give every "
                        + "model a digest",
                    recovery: .needsOperator
                )
            }
            self.pins[pin.key] = pin
        }
    }

    mutating func pin(_ key: String, uri: String, digest: String) throws(ArtifactError) {
        guard self.pins[key]?.digest != digest else { return }
        var next = self.pins
        next[key] = Pin(key: key, uri: uri, digest: digest)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var bytes: [UInt8] = []
        for (_, pin) in next.sorted(by: { $0.key < $1.key }) {
            // Strings always encode.
            guard let data = try? encoder.encode(pin) else { continue }
            bytes += data + [UInt8(ascii: "\n")]
        }
        try Folder.write(bytes, to: self.path)
        self.pins = next
    }
}
