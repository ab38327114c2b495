import Deployments
import FoundationEssentials
import Reconciliation

/// The digests of artifacts whose manifests give none, and the versions that aliases meant, one JSON object a line, in
/// `pins.jsonl`.
///
/// A URI without a digest, and an alias, mean what they meant when they were fetched first: what is served must not
/// change without a commit.
struct PinFile {
    let path: String
    private var pins: [String: Pin] = [:]

    struct Pin: Codable {
        /// The URI's hash; it may hold secrets itself.
        var key: String
        /// For people.
        var uri: String
        var digest: String
        /// Of an alias, which is pinned with a digest in its manifest, too.
        var version: Int?
        /// Milliseconds since 1970. Missing in the files of versions that knew no aliases.
        var since: Int64?

        /// What an alias was resolved to.
        var resolved: PinnedVersion? {
            guard let version, let since else { return nil }
            return PinnedVersion(version: version, since: Timestamp(milliseconds: since))
        }
    }

    init(path: String) {
        self.path = path
    }

    subscript(key: String) -> Pin? { self.pins[key] }

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

    mutating func pin(_ key: String, uri: String, digest: String, version: Int? = nil) throws(ArtifactError) {
        guard self.pins[key]?.digest != digest || self.pins[key]?.version != version else { return }
        var next = self.pins
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        next[key] = Pin(key: key, uri: uri, digest: digest, version: version, since: now)
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
