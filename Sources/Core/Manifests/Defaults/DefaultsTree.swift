import Deployments

/// Every `defaults.yaml` of a commit, and what those above a manifest say together.
package struct DefaultsTree: Sendable {
    /// By their folders.
    private(set) var files: [String: DefaultsFile] = [:]
    /// Of the folders that have one.
    private var chains: [String: DefaultsChain] = [:]

    init() {}

    /// - Parameters:
    ///   - files: Of a commit, sorted by path.
    ///   - known: The last commit's: what has the same bytes is not decoded again.
    ///   - limits: How much there may be.
    init(of files: [SourceFile], knowing known: DefaultsTree, limits: ManifestLimits) {
        for file in files where SourceFile.isDefaults(file.path) {
            let folder = String(SourceFile.folder(of: file.path))
            guard self.files.count < limits.defaultsFiles else {
                self.files[folder] = DefaultsFile(refusing: file, limits: limits)
                continue
            }
            let same = known.files[folder].flatMap { !file.blob.isEmpty && $0.blob == file.blob ? $0 : nil }
            self.files[folder] = same ?? DefaultsFile(decoding: file, limits: limits)
        }
        // The outer ones first, as the inner ones are laid over them.
        for folder in self.files.keys.sorted() {
            guard let file = self.files[folder] else { continue }
            let above = folder.isEmpty ? nil : self.chain(above: folder)
            self.chains[folder] = DefaultsChain(file, over: above)
        }
    }

    /// What holds for a manifest.
    ///
    /// - Returns: Nothing when there is no `defaults.yaml` in its folder and none above.
    func chain(above path: String) -> DefaultsChain? {
        guard !self.chains.isEmpty else { return nil }
        var folder = SourceFile.folder(of: path)
        while true {
            if let chain = self.chains[String(folder)] { return chain }
            guard !folder.isEmpty else { return nil }
            folder = SourceFile.folder(of: String(folder))
        }
    }

    /// Which folders' files are not the same in another tree.
    func difference(from other: DefaultsTree) -> Difference {
        let folders = Set(self.files.keys).union(other.files.keys)
        return Difference(folders: folders.filter { self.files[$0] != other.files[$0] })
    }

    struct Difference {
        fileprivate let folders: Set<String>

        var isEmpty: Bool { self.folders.isEmpty }

        /// Whether a manifest is in one of the folders or below.
        func concerns(_ path: String) -> Bool {
            guard !self.isEmpty else { return false }
            var folder = SourceFile.folder(of: path)
            while true {
                if self.folders.contains(String(folder)) { return true }
                guard !folder.isEmpty else { return false }
                folder = SourceFile.folder(of: String(folder))
            }
        }
    }

    var problems: [Diagnostic] { self.files.values.flatMap(\.problems) }

    /// What they hold is not known: some may hold what is not theirs to hold.
    var unreadable: Set<String> { Set(self.files.values.lazy.filter(\.isBroken).map(\.path)) }
}

/// The `defaults.yaml` that hold for the manifests of a folder, laid over each other.
struct DefaultsChain: Sendable {
    /// The outermost first. Positions in ``root`` count them from 1.
    let paths: [String]
    /// What they say together, the inner before the outer.
    let root: YAMLNode?
    /// The innermost that has errors: what holds for the manifests below it is not known.
    let broken: String?

    init(_ file: DefaultsFile, over above: DefaultsChain?) {
        self.paths = (above?.paths ?? []) + [file.path]
        self.broken = file.isBroken ? file.path : above?.broken
        let own = file.root?.inLayer(self.paths.count)
        self.root = own.map { own in above?.root.map { own.laid(over: $0) } ?? own } ?? above?.root
    }

    /// A manifest's document with what it does not say itself.
    func completed(_ document: YAMLNode) -> YAMLNode {
        // Without a spec of its own it is no manifest, and is told so.
        guard let root = self.root, document["spec"] != nil, document["metadata"] != nil else { return document }
        return document.laid(over: root)
    }
}
