import Deployments

/// What a reader found in the last commit of one repository, so that the next one costs what it changes.
///
/// A deployment without errors says the same as long as its file, each `defaults.yaml` above it, the golden files, and
/// what runtimes, templates and freeze windows declare stay the same, whatever the other deployments do, unless they
/// claim its name or route, vanish from below it, or depend on it in a circle. Files whose deployments have errors are
/// read again each time.
package struct ManifestMemory: Sendable {
    /// Sorted by path; their bytes are shared with the repository's own copy.
    var files: [SourceFile] = []
    /// Of all manifests; a `defaults.yaml` is none.
    var entries: [String: Entry] = [:]
    var defaults = DefaultsTree()
    /// Manifests of which some deployment has errors.
    var faulty: Set<String> = []

    var runtimes = Declarations<PreparedRuntime>()
    var templates = Declarations<Gate>()
    var freezes = Declarations<FreezeWindow>()
    /// Of all documents that are no deployments.
    var otherDiagnostics: [Diagnostic] = []
    var otherInvalid: Set<DeploymentID> = []
    var unreadable: Set<String> = []

    /// The valid ones, sorted by id.
    var specs: [DeploymentSpec] = []
    /// Where each deployment is declared, valid or not.
    var places: [DeploymentID: String] = [:]
    /// Which deployments of files without errors claim a route.
    var claims: [RouteKey: Set<DeploymentID>] = [:]
    /// Of the deployments of each file that has any.
    var diagnostics: [String: [Diagnostic]] = [:]

    /// One file of manifests.
    struct Entry: Sendable {
        /// Of all its deployments, valid or not.
        var ids: [DeploymentID] = []
        /// Whether it holds anything but deployments.
        var isDeclaring: Bool
    }

    package init() {}

    // MARK: - What changed

    /// How the files of two commits differ.
    struct Difference {
        /// New, or with other bytes than before.
        var changed: [SourceFile] = []
        /// Paths that are no more.
        var removed: [String] = []
    }

    /// Both lists are walked once, side by side.
    func difference(to new: [SourceFile]) -> Difference {
        var difference = Difference()
        var index = self.files.startIndex
        for file in new {
            while index < self.files.endIndex, self.files[index].path < file.path {
                difference.removed.append(self.files[index].path)
                index += 1
            }
            if index < self.files.endIndex, self.files[index].path == file.path {
                if self.files[index].blob != file.blob { difference.changed.append(file) }
                index += 1
            } else {
                difference.changed.append(file)
            }
        }
        difference.removed += self.files[index...].map(\.path)
        return difference
    }

    /// Whether it is enough to read what changed: nothing but deployments was in that, so that what all others refer to
    /// is as it was.
    func isEnough(for difference: Difference) -> Bool {
        let paths = difference.changed.map(\.path) + difference.removed
        return !self.files.isEmpty
            && paths.allSatisfy { path in
                SourceFile.isManifest(path) && !(self.entries[path]?.isDeclaring ?? false)
            }
    }

    /// The file as it was last.
    func file(_ path: String) -> SourceFile? {
        var (low, high) = (self.files.startIndex, self.files.endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if self.files[middle].path < path { low = middle + 1 } else { high = middle }
        }
        return low < self.files.endIndex && self.files[low].path == path ? self.files[low] : nil
    }

    // MARK: - Keeping

    /// Forgets the deployments of some files.
    mutating func forgetDeployments(of paths: some Sequence<String>) {
        var gone: Set<DeploymentID> = []
        for path in paths {
            for id in self.entries[path]?.ids ?? [] where self.places[id] == path {
                self.places[id] = nil
                gone.insert(id)
            }
            self.entries[path]?.ids = []
            self.diagnostics[path] = nil
            self.faulty.remove(path)
        }
        guard !gone.isEmpty else { return }
        for id in gone {
            guard let index = self.index(of: id), self.specs[index].id == id else { continue }
            for key in RouteKey.all(of: self.specs[index].route) { self.claims[key]?.remove(id) }
        }
        self.specs.removeAll { gone.contains($0.id) }
    }

    /// Keeps valid deployments, whose names are not known yet.
    mutating func insert(_ new: [DeploymentSpec]) {
        if new.count > 16 {
            self.specs = (self.specs + new).sorted { $0.id < $1.id }
        } else {
            for spec in new { self.specs.insert(spec, at: self.index(of: spec.id) ?? self.specs.endIndex) }
        }
        for spec in new {
            for key in RouteKey.all(of: spec.route) { self.claims[key, default: []].insert(spec.id) }
        }
    }

    /// The first spec that does not come before `id`.
    private func index(of id: DeploymentID) -> Int? {
        var (low, high) = (self.specs.startIndex, self.specs.endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if self.specs[middle].id < id { low = middle + 1 } else { high = middle }
        }
        return low < self.specs.endIndex ? low : nil
    }

    func spec(_ id: DeploymentID) -> DeploymentSpec? {
        self.index(of: id).flatMap { self.specs[$0].id == id ? self.specs[$0] : nil }
    }
}

/// What no two deployments of a repository may both have.
struct RouteKey: Hashable, Sendable {
    var host: String?
    var pathPrefix: String

    static func all(of route: Route) -> [RouteKey] {
        route.hosts.isEmpty
            ? [RouteKey(host: nil, pathPrefix: route.pathPrefix)]
            : route.hosts.map { RouteKey(host: $0, pathPrefix: route.pathPrefix) }
    }
}

extension SourceFile {
    static func isManifest(_ path: String) -> Bool { path.ends(in: ".yaml") || path.ends(in: ".yml") }

    /// Whether it declares something by itself.
    var isManifest: Bool { Self.isManifest(self.path) && !Self.isDefaults(self.path) }
}

extension String {
    /// `hasSuffix` for what is plain ASCII: by bytes, not by characters, as it is asked of every file of a commit.
    func ends(in suffix: String) -> Bool { self.utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) }
}
