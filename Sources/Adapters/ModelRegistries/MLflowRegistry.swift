package import Deployments
package import Transport

/// MLflow's registry, asked over its REST API. Known to work with MLflow 3.17.
package struct MLflowRegistry: ModelRegistry {
    private let connection: RegistryConnection

    private static let base = "/api/2.0/mlflow"
    private static let artifacts = "/api/2.0/mlflow-artifacts/artifacts"
    /// What MLflow and object stores have at most; and no part is longer than a file system's names.
    private static let maxPathBytes = 1024
    private static let maxNameBytes = 255

    /// Makes a client; asks nothing yet.
    package init(configuration: RegistryConfiguration, client: HTTPClient) {
        self.connection = RegistryConnection(configuration: configuration, client: client)
    }

    package func version(_ reference: ModelReference) async throws(RegistryError) -> RegisteredVersion {
        let name = ("name", reference.name)
        let answer: MLflowAnswer.Version
        switch reference.selector {
        case .alias(let alias):
            answer = try await self.connection.get(
                "\(Self.base)/registered-models/alias",
                [name, ("alias", alias)],
                subject: "the alias \(alias) of the model \(reference.name)",
                // Not 404, as for a model that is not there.
                invalid: .aliasMissing
            )
        case .version(let number):
            answer = try await self.connection.get(
                "\(Self.base)/model-versions/get",
                [name, ("version", "\(number)")],
                subject: "version \(number) of the model \(reference.name)"
            )
        }
        let record = answer.model_version
        guard record.name == reference.name, let number = Int(record.version), number > 0 else {
            throw self.connection.error(.badAnswer, "answered with another model's version to \(reference)", .retry)
        }
        if case .version(let wanted) = reference.selector, wanted != number {
            throw self.connection.error(.badAnswer, "answered with version \(number) to \(reference)", .retry)
        }
        let tags = (record.tags ?? []).map { ($0.key, $0.value ?? "") }
        return RegisteredVersion(
            model: record.name,
            number: number,
            status: .init(mlflow: record.status),
            run: record.run_id.flatMap { $0.isEmpty ? nil : $0 },
            tags: Dictionary(tags, uniquingKeysWith: { first, _ in first }),
            aliases: record.aliases ?? []
        )
    }

    package func aliases(of model: String) async throws(RegistryError) -> [String: Int] {
        let answer: MLflowAnswer.Model = try await self.connection.get(
            "\(Self.base)/registered-models/get",
            [("name", model)],
            subject: "the model \(model)"
        )
        var aliases: [String: Int] = [:]
        for alias in answer.registered_model.aliases ?? [] {
            guard let number = Int(alias.version) else {
                throw self.connection.error(.badAnswer, "has an alias of the model \(model) without a version", .retry)
            }
            aliases[alias.alias] = number
        }
        return aliases
    }

    package func downloadURI(of version: RegisteredVersion) async throws(RegistryError) -> String {
        // Its `source` is not the place: of a logged model it is `models:/m-…`.
        let answer: MLflowAnswer.Location = try await self.connection.get(
            "\(Self.base)/model-versions/get-download-uri",
            [("name", version.model), ("version", "\(version.number)")],
            subject: "the files of \(version.reference)"
        )
        return answer.artifact_uri
    }

    package func files(below uri: String, limits: RegistryLimits) async throws(RegistryError) -> [RegistryFile] {
        let root = try self.place(of: uri)
        let deadline = ContinuousClock.now + limits.timeout
        var files: [RegistryFile] = []
        var bytes: Int64 = 0
        var folders = 1
        var pending: [[String]] = [[]]
        while let folder = pending.popLast() {
            guard ContinuousClock.now < deadline else {
                throw self.connection.error(.timedOut, "took more than \(limits.timeout) to list \(root)", .retry)
            }
            for entry in try await self.entries(of: folder, below: root, deadline: deadline) {
                let parts = folder + [try self.name(of: entry, in: folder)]
                let path = parts.joined(separator: "/")
                guard path.utf8.count <= Self.maxPathBytes else { throw self.refused("a path that is too long") }
                if entry.is_dir ?? false {
                    folders += 1
                    guard parts.count <= limits.depth else { throw self.tooLarge("\(limits.depth) folders in another") }
                    guard folders <= limits.files else { throw self.tooLarge("\(limits.files) folders") }
                    pending.append(parts)
                } else {
                    guard files.count < limits.files else { throw self.tooLarge("\(limits.files) files") }
                    let size = max(0, entry.file_size ?? 0)
                    guard size <= limits.bytes - bytes else { throw self.tooLarge("\(limits.bytes) bytes") }
                    bytes += size
                    files.append(RegistryFile(path: path, bytes: entry.file_size, place: "\(root)/\(path)"))
                }
            }
        }
        return files.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    package func request(for file: RegistryFile) throws(RegistryError) -> HTTPRequest {
        let path = file.place.split(separator: "/").map { RegistryConnection.escaped(String($0)) }
        var request = try self.connection.request("\(Self.artifacts)/\(path.joined(separator: "/"))")
        request.followRedirects = true
        return request
    }

    // MARK: - Listing

    private func entries(
        of folder: [String],
        below root: String,
        deadline: ContinuousClock.Instant
    ) async throws(RegistryError) -> [MLflowAnswer.Listing.File] {
        let listing: MLflowAnswer.Listing = try await self.connection.get(
            Self.artifacts,
            [("path", ([root] + folder).joined(separator: "/"))],
            subject: "the files below \(root)",
            deadline: deadline
        )
        guard listing.next_page_token?.isEmpty ?? true else {
            throw self.connection.error(.badAnswer, "lists files in pages, which this version cannot read")
        }
        return listing.files ?? []
    }

    /// A folder's entries are told by their last part alone.
    private func name(of entry: MLflowAnswer.Listing.File, in folder: [String]) throws(RegistryError) -> String {
        let name = entry.path
        let isPlain =
            !name.isEmpty && name != "." && name != ".." && name.utf8.count <= Self.maxNameBytes
            && name.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F && $0 != "/" && $0 != "\\" }
        guard isPlain else { throw self.refused("the name \(RegistryConnection.line(name).prefix(100))") }
        return name
    }

    /// The path below the server's own root of artifacts.
    private func place(of uri: String) throws(RegistryError) -> String {
        var rest = uri[...]
        if rest.hasPrefix("mlflow-artifacts:") {
            rest = rest.dropFirst("mlflow-artifacts:".count)
            if rest.hasPrefix("//") {
                let host = rest.dropFirst(2).prefix { $0 != "/" }
                guard host.isEmpty || self.isOwn(String(host)) else { throw self.notServed(uri) }
                rest = rest.dropFirst(2 + host.count)
            }
        } else if rest.hasPrefix("\(self.connection.configuration.url)\(Self.artifacts)/") {
            rest = rest.dropFirst("\(self.connection.configuration.url)\(Self.artifacts)".count)
        } else {
            throw self.notServed(uri)
        }
        let parts = rest.split(separator: "/")
        let isPlain = parts.allSatisfy { part in
            part != "." && part != ".." && part.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        }
        guard !parts.isEmpty, isPlain, rest.utf8.count <= Self.maxPathBytes else {
            throw self.refused("a place of files that is no path")
        }
        return parts.joined(separator: "/")
    }

    private func isOwn(_ host: String) -> Bool {
        let scheme = self.connection.configuration.url.prefix { $0 != ":" }
        // What is no address is not ours.
        guard let own = try? WebAddress(self.connection.configuration.url),
            let other = try? WebAddress("\(scheme)://\(host)")
        else { return false }
        return own.hasSameOrigin(as: other)
    }

    // MARK: - What goes wrong

    /// Scheme and host only: a path may say more than people should read, and a URI of object stores may hold keys.
    private func notServed(_ uri: String) -> RegistryError {
        let scheme = RegistryConnection.line(String(uri.prefix { $0 != ":" && $0 != "/" }.prefix(20)))
        let place = scheme.isEmpty ? "a folder of the server's machine" : "\(scheme):"
        return self.connection.error(
            .notServed,
            "keeps these files in \(place), which it does not hand out: start it with `--serve-artifacts` and "
                + "`--artifacts-destination`, and register the model anew from a run made since"
        )
    }

    private func refused(_ what: String) -> RegistryError {
        self.connection.error(.badAnswer, "tells of \(what), which is not accepted: log the model anew without that")
    }

    private func tooLarge(_ limit: String) -> RegistryError {
        self.connection.error(.tooLarge, "has more than \(limit) there: log fewer, or raise artifacts.maxSize")
    }
}

extension RegisteredVersion.Status {
    /// Left out by servers that know no others.
    fileprivate init(mlflow word: String?) {
        switch word {
        case "READY", nil: self = .ready
        case "PENDING_REGISTRATION": self = .pending
        case "FAILED_REGISTRATION": self = .failed
        case let word?: self = .other(RegistryConnection.line(word))
        }
    }
}
