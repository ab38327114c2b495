import Crypto
import Deployments
import Glibc
import ModelRegistries
import Reconciliation
import Transport

/// A registered model: its version is looked up, its files are listed and downloaded one by one.
extension Acquisition {
    /// What an earlier fetch found an alias to mean goes before what it means now.
    private func meaning(of reference: ModelReference) -> ModelReference {
        guard let pinnedVersion else { return reference }
        return ModelReference(name: reference.name, selector: .version(pinnedVersion))
    }

    func stage(_ reference: ModelReference) async throws(ArtifactError) -> StagedObject {
        guard let registry else {
            throw ArtifactError(
                code: .refused,
                message: "\(reference) is in a model registry, and none is configured; add `modelRegistry` to the "
                    + "daemon's configuration",
                recovery: .needsOperator
            )
        }
        let deadline = ContinuousClock.now + self.configuration.timeout
        let version: RegisteredVersion
        let files: [RegistryFile]
        do throws(RegistryError) {
            version = try await registry.version(self.meaning(of: reference))
            files = try await self.files(of: version, in: registry)
        } catch {
            throw ArtifactError(error, of: reference)
        }
        try self.check(version, files)
        var verified = self
        // The tag is believed where nobody else says what the files should be: it notices what was written over since.
        verified.expected = self.expected ?? version.expected
        return try await verified.stage(files, of: version, from: registry, until: deadline)
    }

    private func files(
        of version: RegisteredVersion,
        in registry: any ModelRegistry
    ) async throws(RegistryError) -> [RegistryFile] {
        var limits = RegistryLimits(files: self.limits.files, bytes: self.limits.bytes)
        limits.timeout = min(limits.timeout, self.configuration.timeout)
        return try await registry.files(below: try await registry.downloadURI(of: version), limits: limits)
    }

    private func check(_ version: RegisteredVersion, _ files: [RegistryFile]) throws(ArtifactError) {
        switch version.status {
        case .ready: break
        case .pending, .other:
            throw ArtifactError(
                code: .unreachable,
                message: "\(version.reference) is not ready in its registry; it is waited for",
                recovery: .retry
            )
        case .failed:
            throw ArtifactError(
                code: .refused,
                message: "\(version.reference) could not be registered, says its registry; register it anew",
                recovery: .needsOperator
            )
        }
        guard !files.isEmpty else {
            throw ArtifactError(
                code: .notFound,
                message: "\(version.reference) has no files; log the model anew, as a folder",
                recovery: .needsOperator
            )
        }
    }

    // MARK: - Downloads

    private func stage(
        _ files: [RegistryFile],
        of version: RegisteredVersion,
        from registry: any ModelRegistry,
        until deadline: ContinuousClock.Instant
    ) async throws(ArtifactError) -> StagedObject {
        // Of this version alone: what an alias meant before must not be mixed in.
        let folder = "\(self.download.folder)/v\(version.number)"
        let total = files.reduce(Int64(0)) { $0 + max(0, $1.bytes ?? 0) }
        var (received, wasResumed) = (Int64(0), false)
        var downloads: [(path: MemberPath, data: String)] = []
        for file in files {
            guard let path = try MemberPath(file.path.utf8) else { continue }
            let download = PartialDownload(
                folder: "\(folder)/\(SHA256.hash(data: Array(file.path.utf8)).hexadecimal)",
                session: self.download.session,
                client: self.download.client
            )
            try Folder.createAll(download.folder)
            let (before, progress) = (received, self.progress)
            wasResumed =
                try await download.run(
                    self.request(for: file, from: registry, until: deadline),
                    limit: self.limits.bytes - received,
                    mayResume: self.expected != nil,
                    configuration: self.configuration,
                    progress: { now, _ in progress.update(received: before + now, total: total) }
                ) || wasResumed
            received += try await self.checkSize(of: file, in: download)
            downloads.append((path, download.data))
        }
        let tree = try await self.tree(of: downloads)
        let digest = tree.files.treeDigest
        guard self.matches(digest) else {
            try await Folder.remove(folder)
            throw await self.mismatch("sha256:\(digest)", wasResumed)
        }
        var staged = try self.stage(tree: tree, kind: .directory, digest: digest)
        staged.version = version.number
        return staged
    }

    private func request(
        for file: RegistryFile,
        from registry: any ModelRegistry,
        until deadline: ContinuousClock.Instant
    ) throws(ArtifactError) -> HTTPRequest {
        let left = deadline - .now
        guard left > .zero else {
            throw ArtifactError(
                code: .unreachable,
                message: "\(self.location.redacted) did not arrive within \(self.configuration.timeout); what did is "
                    + "kept for the next attempt. Raise artifacts.timeout if that lasts",
                recovery: .retry
            )
        }
        do throws(RegistryError) {
            var request = try registry.request(for: file)
            request.timeout = left
            return request
        } catch {
            throw ArtifactError(error, of: self.location.redacted)
        }
    }

    /// A listing and a file that do not go together are of two times.
    private func checkSize(of file: RegistryFile, in download: PartialDownload) async throws(ArtifactError) -> Int64 {
        let bytes = try FileStatus(of: download.data)?.bytes ?? 0
        guard let told = file.bytes, told != bytes else { return bytes }
        try await download.discard()
        throw ArtifactError(
            code: .unreachable,
            message: "\(self.location.redacted) has \(file.path) with \(bytes) bytes in place of \(told); it is being "
                + "written over, and looked at again",
            recovery: .retry
        )
    }

    private func tree(of downloads: [(path: MemberPath, data: String)]) async throws(ArtifactError) -> TreeWriter {
        try Folder.create(self.staging)
        var tree = try TreeWriter(root: "\(self.staging)/\(StoredObject.folderName)", limits: self.limits)
        for (path, data) in downloads { try await tree.addFile(path, moving: data) }
        try tree.finish()
        return tree
    }
}

extension RegisteredVersion {
    fileprivate var expected: Acquisition.Expected? {
        self.digest.map { Acquisition.Expected(digest: String($0.dropFirst("sha256:".count)), source: .tag) }
    }
}

extension ArtifactError {
    init(_ error: RegistryError, of reference: some CustomStringConvertible) {
        self.message = "\(reference): \(error.message)"
        switch error.recovery {
        case .retry: self.recovery = .retry
        case .wait(let time): self.recovery = .wait(time)
        case .needsOperator: self.recovery = .needsOperator
        }
        switch error.code {
        case .notFound, .aliasMissing: self.code = .notFound
        case .notServed, .unauthorized, .notConfigured, .badAnswer: self.code = .refused
        case .unreachable, .timedOut: self.code = .unreachable
        case .tooLarge: self.code = .tooLarge
        case .cancelled: self.code = .cancelled
        }
    }
}
