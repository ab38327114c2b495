import Crypto
import Glibc
import ModelRegistries
import Reconciliation
import Transport

/// One attempt to bring an artifact here and verify it. Works in its own folder, which a crash may leave behind.
struct Acquisition: Sendable {
    var location: ArtifactLocation
    var expected: Expected?
    var configuration: ArtifactConfiguration
    /// Nothing when none is configured.
    var registry: (any ModelRegistry)?
    /// What the alias that the location names meant when it was fetched first.
    var pinnedVersion: Int?
    var download: PartialDownload
    var progress: FetchProgress

    struct Expected: Hashable, Sendable {
        enum Source: Hashable, Sendable {
            case manifest
            /// An earlier fetch.
            case pin
            /// The `sha256` tag of a registered version.
            case tag
        }

        var digest: String
        var source: Source
    }

    private var folder: String { self.download.folder }
    var staging: String { "\(self.folder)/object" }
    private var data: String { self.download.data }

    var limits: TreeWriter.Limits {
        TreeWriter.Limits(bytes: self.byteLimit, files: self.configuration.maxFiles)
    }

    private var byteLimit: Int64 { min(self.configuration.maxArtifactBytes, self.configuration.maxBytes) }

    @concurrent
    func run() async throws(ArtifactError) -> StagedObject {
        try Folder.createAll(self.folder)
        try await Folder.remove(self.staging)
        switch self.location.origin {
        case .file(let path):
            let source = try SourceTree(path: path, roots: self.configuration.fileRoots)
            if source.isDirectory { return try await self.stage(directory: source) }
            let digest = try await self.copy(from: source.path)
            return try await self.stage(digest: digest, wasResumed: false)
        case .registered(let reference):
            return try await self.stage(reference)
        case .web(let url):
            var request = HTTPRequest(url: url, timeout: self.configuration.timeout, followRedirects: true)
            request.caFile = self.configuration.caFile
            let wasResumed = try await self.download.run(
                request,
                limit: self.byteLimit,
                mayResume: self.expected != nil,
                configuration: self.configuration,
                progress: { [progress = self.progress] in progress.update(received: $0, total: $1) }
            )
            return try await self.stage(digest: try await self.hash(), wasResumed: wasResumed)
        }
    }

    // MARK: - Bytes

    private func hash() async throws(ArtifactError) -> String {
        let file = try OpenFile(reading: self.data)
        var hash = SHA256()
        while case let piece = try file.read(), !piece.isEmpty {
            hash.update(data: piece)
            try await ArtifactError.checkpoint()
        }
        return hash.finalize().hexadecimal
    }

    /// Copies and hashes in one pass, so that the digest is the copy's.
    private func copy(from path: String) async throws(ArtifactError) -> String {
        try await Folder.remove(self.data)
        let source = try OpenFile(reading: path)
        let total = try source.status().bytes
        guard total <= self.byteLimit else {
            throw ArtifactError(
                code: .tooLarge,
                message: "\(self.location.redacted) has \(total) bytes, more than the limit of \(self.byteLimit); "
                    + "raise artifacts.maxSize",
                recovery: .needsOperator
            )
        }
        let target = try OpenFile(creating: self.data)
        var hash = SHA256()
        var copied: Int64 = 0
        while case let piece = try source.read(), !piece.isEmpty {
            hash.update(data: piece)
            try target.write(piece)
            copied += Int64(piece.count)
            self.progress.update(received: copied, total: total)
            try await ArtifactError.checkpoint()
        }
        return hash.finalize().hexadecimal
    }

    // MARK: - Staging

    private func stage(digest: String, wasResumed: Bool) async throws(ArtifactError) -> StagedObject {
        if self.location.packaging == .plain {
            guard self.matches(digest) else { throw await self.mismatch("sha256:\(digest)", wasResumed) }
            return try self.stage(file: digest)
        }
        // The digest of what was downloaded comes first: an archive that it verifies is unpacked as known good.
        let isVerified = self.matches(digest)
        let tree: TreeWriter
        do throws(ArtifactError) {
            tree = try await self.unpack()
        } catch {
            if isVerified || error.recovery != .needsOperator { throw error }
            throw await self.mismatch("sha256:\(digest) (and \(error.message))", wasResumed)
        }
        let treeDigest = tree.files.treeDigest
        guard isVerified || self.matches(treeDigest) else {
            throw await self.mismatch("sha256:\(digest), unpacked sha256:\(treeDigest)", wasResumed)
        }
        return try self.stage(
            tree: tree,
            kind: isVerified ? .archive : .directory,
            digest: isVerified ? digest : treeDigest
        )
    }

    private func stage(directory source: SourceTree) async throws(ArtifactError) -> StagedObject {
        try Folder.create(self.staging)
        var tree = try TreeWriter(root: "\(self.staging)/\(StoredObject.folderName)", limits: self.limits)
        try await source.copy(into: &tree, progress: self.progress)
        try tree.finish()
        let digest = tree.files.treeDigest
        guard self.matches(digest) else { throw await self.mismatch("sha256:\(digest)", false) }
        return try self.stage(tree: tree, kind: .directory, digest: digest)
    }

    private func unpack() async throws(ArtifactError) -> TreeWriter {
        try Folder.create(self.staging)
        var tree = try TreeWriter(root: "\(self.staging)/\(StoredObject.folderName)", limits: self.limits)
        do throws(ArtifactError) {
            switch self.location.packaging {
            case .zip:
                try await ZipArchive(path: self.data).unpack(into: &tree)
            case .tar, .tarGzip, .plain:
                let isGzip = self.location.packaging == .tarGzip
                try await TarArchive(path: self.data, isGzip: isGzip).unpack(into: &tree)
            }
            try tree.finish()
        } catch {
            var named = error
            named.message = "\(self.location.redacted): \(error.message)"
            throw named
        }
        return tree
    }

    func stage(
        tree: TreeWriter,
        kind: StoredObject.Kind,
        digest: String
    ) throws(ArtifactError) -> StagedObject {
        let files = tree.files.map { ($0.key.description, $0.value) }
        let object = StoredObject(
            digest: digest,
            kind: kind,
            name: StoredObject.folderName,
            bytes: tree.bytes,
            files: Dictionary(files, uniquingKeysWith: { first, _ in first })
        )
        try ObjectIndex.write(object, in: self.staging)
        return StagedObject(object: object, folder: self.staging)
    }

    private func stage(file digest: String) throws(ArtifactError) -> StagedObject {
        try Folder.create(self.staging)
        let path = "\(self.staging)/\(self.location.name)"
        try Folder.rename(self.data, to: path)
        let file = try OpenFile(reading: path)
        try file.seal()
        let status = try file.status()
        let object = StoredObject(
            digest: digest,
            kind: .file,
            name: self.location.name,
            bytes: status.bytes,
            files: [
                self.location.name: TreeFile(digest: digest, bytes: status.bytes, modified: status.modified)
            ]
        )
        try ObjectIndex.write(object, in: self.staging)
        return StagedObject(object: object, folder: self.staging)
    }

    // MARK: - Digests

    func matches(_ digest: String) -> Bool {
        self.expected == nil || self.expected?.digest == digest
    }

    /// The error for a wrong digest, after removing what has it: trying again must not start from those bytes.
    func mismatch(_ found: String, _ wasResumed: Bool) async -> ArtifactError {
        do throws(ArtifactError) {
            try await Folder.remove(self.staging)
            try await self.download.discard()
        } catch {
            return error
        }
        let wanted = "sha256:\(self.expected?.digest ?? "")"
        if wasResumed {
            return ArtifactError(
                code: .wrongDigest,
                message: "\(self.location.redacted) has the digest \(found) after an interrupted download, not "
                    + "\(wanted); downloading it from its start",
                recovery: .retry
            )
        }
        return self.mismatch(found, wanted)
    }

    private func mismatch(_ found: String, _ wanted: String) -> ArtifactError {
        switch self.expected?.source {
        case .pin:
            ArtifactError(
                code: .changed,
                message: "\(self.location.redacted) has the digest \(found), but had \(wanted) when it was fetched "
                    + "first; put the digest that you want into the manifest's model.digest",
                recovery: .needsOperator
            )
        case .tag:
            ArtifactError(
                code: .wrongDigest,
                message: "\(self.location.redacted) has the digest \(found), but its version's tag `sha256` says "
                    + "\(wanted); restore the files, correct the tag, or say with model.digest which one you want",
                recovery: .needsOperator
            )
        case .manifest, nil:
            ArtifactError(
                code: .wrongDigest,
                message: "\(self.location.redacted) has the digest \(found), but the manifest wants \(wanted); correct "
                    + "model.digest or restore the artifact",
                recovery: .needsOperator
            )
        }
    }
}
