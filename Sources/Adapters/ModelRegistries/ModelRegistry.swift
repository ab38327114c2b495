package import Deployments
package import Transport

/// Knows the versions of models, what aliases mean now, and where files are. It only reads.
package protocol ModelRegistry: Sendable {
    /// What a version is, or the version that an alias names now.
    func version(_ reference: ModelReference) async throws(RegistryError) -> RegisteredVersion

    /// All aliases of a model, and the versions that they name now.
    func aliases(of model: String) async throws(RegistryError) -> [String: Int]

    /// Where the files of a version are, in the registry's own words: `mlflow-artifacts:/1/…`, `s3://bucket/…`.
    func downloadURI(of version: RegisteredVersion) async throws(RegistryError) -> String

    /// All files below a ``downloadURI(of:)``, in the order of their paths.
    ///
    /// - Throws: `notServed` when the registry's server does not hand them out; `tooLarge` beyond a limit.
    func files(below uri: String, limits: RegistryLimits) async throws(RegistryError) -> [RegistryFile]

    /// What downloads a file: towards the registry's own host, with its credentials. Redirects are followed, and
    /// credentials do not go along to another host.
    func request(for file: RegistryFile) throws(RegistryError) -> HTTPRequest
}

/// One version of a model, as the registry has it.
package struct RegisteredVersion: Hashable, Sendable {
    /// In MLflow's words; another is kept as it is.
    package enum Status: Hashable, Sendable {
        case ready, pending, failed
        case other(String)
    }

    package var model: String
    package var number: Int
    package var status: Status
    /// The run that made it.
    package var run: String?
    package var tags: [String: String]
    package var aliases: [String]

    package init(
        model: String,
        number: Int,
        status: Status = .ready,
        run: String? = nil,
        tags: [String: String] = [:],
        aliases: [String] = []
    ) {
        self.model = model
        self.number = number
        self.status = status
        self.run = run
        self.tags = tags
        self.aliases = aliases
    }

    /// The tag `sha256` as `sha256:` and 64 lower-case hexadecimal digits, with or without that prefix in the tag;
    /// nothing when there is none of that form. It is meant to be the digest of the version's folder.
    package var digest: String? {
        guard let tag = self.tags["sha256"] else { return nil }
        let digits = tag.hasPrefix("sha256:") ? tag.dropFirst(7) : tag[...]
        let isDigest =
            digits.utf8.count == 64
            && digits.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        return isDigest ? "sha256:\(digits)" : nil
    }

    /// `models:/NAME/VERSION`.
    package var reference: ModelReference { ModelReference(name: self.model, selector: .version(self.number)) }
}

/// One file of a version.
package struct RegistryFile: Hashable, Sendable {
    /// Below the version's folder: `data/model.onnx`. No part of it is empty, `.` or `..`.
    package var path: String
    /// Nothing when the registry does not say.
    package var bytes: Int64?
    /// The registry's own path, from its root.
    package var place: String

    package init(path: String, bytes: Int64?, place: String) {
        self.path = path
        self.bytes = bytes
        self.place = place
    }
}

/// What a listing may cost.
package struct RegistryLimits: Hashable, Sendable {
    /// Files, and as many folders.
    package var files: Int
    /// Of all files together, as far as their sizes are told.
    package var bytes: Int64
    /// Folders within folders.
    package var depth: Int
    /// For the whole listing, which takes a request for each folder.
    package var timeout: Duration

    package init(
        files: Int = 100_000,
        bytes: Int64 = 50 << 30,
        depth: Int = 32,
        timeout: Duration = .seconds(600)
    ) {
        self.files = files
        self.bytes = bytes
        self.depth = depth
        self.timeout = timeout
    }
}
