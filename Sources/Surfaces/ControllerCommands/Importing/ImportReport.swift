import Manifests

/// What `controller import` made of its input.
package struct ImportReport: Encodable, Hashable, Sendable {
    package var files: Int
    package var manifests: [ImportedManifest]
    /// By file and place.
    package var findings: [ImportFinding]
    /// Objects of other kinds, and how many of each.
    package var ignored: [String: Int]
    /// Fields that say nothing that anybody could miss, such as what a cluster wrote.
    package var meaningless: [Field]

    package struct Field: Encodable, Hashable, Sendable {
        package var path: String
        package var line: Int
        package var field: String
    }

    /// - Parameters:
    ///   - sources: The input.
    ///   - namespace: Of objects that name none.
    ///   - acceptance: Knows what our reader accepts.
    ///   - folder: Where the manifests are written to, if anywhere.
    init(_ sources: ImportSources, namespace: String, acceptance: ImportAcceptance, folder: String?) {
        let catalog = ImportCatalog(sources)
        let conversion = ImportConversion(catalog, namespace: namespace, acceptance: acceptance)
        conversion.run()
        self.files = sources.files.count
        self.manifests = conversion.manifests
        self.ignored = catalog.ignored
        var findings = catalog.findings + catalog.objects.flatMap(\.ledger.findings)
        for object in conversion.unused {
            if object.kind.isOfATool {
                findings.append(
                    ImportFinding(
                        outcome: .lost,
                        path: object.ledger.path,
                        line: object.root.node.position.line,
                        column: object.root.node.position.column,
                        field: object.root.path,
                        message: "no object among the files refers to the \(object.kind.rawValue) "
                            + "\(object.name.inBackticks): name the file of the one that does, too"
                    )
                )
            } else {
                self.ignored[object.kind.rawValue, default: 0] += 1
            }
        }
        let order = Dictionary(uniqueKeysWithValues: sources.files.enumerated().map { ($1.path, $0) })
        self.findings =
            findings.sorted {
                (order[$0.path] ?? 0, $0.line, $0.column, $0.message) < (
                    order[$1.path] ?? 0, $1.line, $1.column, $1.message
                )
            } + acceptance.findings(of: conversion.manifests, in: folder)
        self.meaningless = catalog.objects.filter(\.ledger.isTouched).flatMap { object in
            object.ledger.meaningless.map { field, position in
                Field(path: object.ledger.path, line: position.line, field: field)
            }
        }
    }

    func count(of outcome: ImportFinding.Outcome) -> Int {
        self.findings.count { $0.outcome == outcome }
    }

    /// Whether everything has a place in a manifest, and our reader takes that.
    var isComplete: Bool {
        self.findings.allSatisfy { $0.outcome == .chosen || $0.outcome == .warning }
    }

    /// All manifests in one stream.
    var yaml: String {
        self.manifests.map { manifest in
            "# From \(manifest.from)\n\(manifest.yaml)"
        }.joined(separator: "---\n")
    }

    /// `2 files: 1 ModelDeployment, 1 AnalysisTemplate; 3 lost, 1 to decide, 2 chosen; ignored: 2 Service`
    var summary: String {
        var parts = ["\(Self.counted(self.files, "file")): "]
        let kinds: [ManifestKind] = [.modelDeployment, .servingRuntime, .analysisTemplate]
        let made = kinds.compactMap { kind -> String? in
            let count = self.manifests.count { $0.kind == kind.rawValue }
            return count > 0 ? Self.counted(count, kind.rawValue) : nil
        }
        parts.append(made.isEmpty ? "no manifests" : made.joined(separator: ", "))
        let words: [(ImportFinding.Outcome, String)] = [
            (.error, "unreadable"), (.refused, "refused"), (.lost, "lost"), (.decide, "to decide"),
            (.warning, "warned of"), (.chosen, "chosen"),
        ]
        let found = words.compactMap { outcome, word -> String? in
            let count = self.count(of: outcome)
            return count > 0 ? "\(count) \(word)" : nil
        }
        parts.append("; \(found.isEmpty ? "everything is carried over" : found.joined(separator: ", "))")
        if !self.ignored.isEmpty {
            let kinds = self.ignored.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
            parts.append("; ignored: \(kinds.joined(separator: ", "))")
        }
        return parts.joined()
    }

    private static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
