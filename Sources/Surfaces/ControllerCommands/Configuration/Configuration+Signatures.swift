import Foundation
package import Manifests

extension Configuration {
    /// Which commits of a repository must be signed, and by whom.
    package struct Signatures: Hashable, Sendable {
        package enum Requirement: Hashable, Sendable {
            case none, head
            /// Each commit after this one.
            case since(String)
        }

        /// A file of the operator's, and where the configuration names it.
        package struct KeyFile: Hashable, Sendable {
            package var path: String
            package var position: TextPosition
            package var field: String
        }

        /// Files that only members of some groups may change.
        package struct Path: Hashable, Sendable {
            package var pattern: String
            package var groups: [String]
            /// Their members; fingerprints in upper case.
            package var signers: Set<String>
        }

        package var requirement: Requirement
        package var allowedSigners: KeyFile?
        package var revokedKeys: KeyFile?
        package var gpgKeyring: KeyFile?
        package var paths: [Path]
    }

    /// The key files that this user cannot read. A daemon with such files takes no commit until they are there.
    ///
    /// - Parameter path: The configuration file, for the places.
    /// - Returns: Nothing when all is well.
    package func unreadableKeyFiles(path: String) -> [Diagnostic] {
        self.repositories.compactMap(\.signatures)
            .flatMap { [$0.allowedSigners, $0.revokedKeys, $0.gpgKeyring].compactMap(\.self) }
            .filter { !FileManager.default.isReadableFile(atPath: $0.path) }
            .map { file in
                Diagnostic(
                    path: path,
                    line: file.position.line,
                    column: file.position.column,
                    field: file.field,
                    message: "\(file.path.inBackticks) cannot be read: make it exist, and readable for this user"
                )
            }
    }
}

extension Configuration.Signatures {
    private enum Kind: String, CaseIterable {
        // `none` would be taken for a missing value.
        case nobody = "none"
        case head, since
    }

    init?(decoding field: Field) {
        guard let members = field.members(of: .signatures) else { return nil }
        let kind = members["require"].map { $0.choice(of: Kind.self) } ?? Kind.nobody
        let since = members["since"]?.string(form: "all 40 digits of a commit's id, quoted, in lower case") { text in
            text.count == 40 && text.allSatisfy { "0123456789abcdef".contains($0) }
        }
        self.allowedSigners = members["allowedSignersFile"]?.keyFile()
        self.revokedKeys = members["revokedKeysFile"]?.keyFile()
        self.gpgKeyring = members["gpgKeyring"]?.keyFile()
        let groups = members["groups"]?.groups() ?? [:]
        self.paths = members["paths"]?.list(limit: 100)?.compactMap { Path(decoding: $0, groups: groups) } ?? []
        switch kind {
        case .nobody: self.requirement = .none
        case .head: self.requirement = .head
        case .since:
            if members["since"] == nil {
                field.error("`since` is missing: write the id of the newest commit that you trust without a signature")
            }
            self.requirement = .since(since ?? "")
        case nil: return nil
        }
        self.check(members, kind: kind)
    }

    /// What is given must be of use.
    private func check(_ members: Members, kind: Kind?) {
        if kind != .since {
            members["since"]?.error("`since` belongs to `require: since`: remove it, or change `require`")
        }
        if members["revokedKeysFile"] != nil, members["allowedSignersFile"] == nil {
            members["revokedKeysFile"]?.error(
                "`revokedKeysFile` belongs to `allowedSignersFile`; a keyring holds revocations itself: remove it"
            )
        }
        if members["paths"] == nil {
            members["groups"]?.warning("nothing uses `groups`: name them in `paths`, or remove them")
        }
        guard kind != .nobody else {
            members["paths"]?.error("`paths` needs signatures: set `require` to head or since")
            return
        }
        if members["allowedSignersFile"] == nil, members["gpgKeyring"] == nil {
            members["require"]?.error("nobody may sign: name whose keys count, `allowedSignersFile` or `gpgKeyring`")
        }
    }
}

extension Configuration.Signatures.Path {
    fileprivate init?(decoding field: Field, groups: [String: [String]]) {
        guard let members = field.members(of: .signaturePath) else { return nil }
        let form = "files from the root of the repository, such as prod/** or prod/*.yaml, `**` only at the end"
        let pattern = members["path"]?.string(form: form) { text in
            let parts = text.split(separator: "/").map(String.init)
            let names = parts.last == "**" ? parts.dropLast() : parts[...]
            return !parts.isEmpty && !text.hasPrefix("/")
                && names.allSatisfy { $0 != "." && $0 != ".." && !$0.contains("**") }
        }
        let fields = members["signers"]?.list(limit: 100)
        if fields?.isEmpty == true { members["signers"]?.error("nobody could change these files: name a group") }
        let names = fields?.compactMap { field -> String? in
            guard let name = field.string() else { return nil }
            if groups[name] != nil { return name }
            let hint = groups.isEmpty ? "write it under `groups`" : NearestName.hint(for: name, among: groups.keys)
            field.error("unknown group \(name.inBackticks): \(hint)")
            return nil
        }
        guard let pattern, let names else { return nil }
        self.init(pattern: pattern, groups: names, signers: Set(names.flatMap { groups[$0] ?? [] }))
    }
}

extension Field {
    fileprivate func keyFile() -> Configuration.Signatures.KeyFile? {
        self.absolutePath().map { .init(path: $0, position: self.node.position, field: self.path) }
    }

    /// The members of each group. One with mistakes is there, too: who names it made none.
    fileprivate func groups() -> [String: [String]]? {
        self.dictionary(
            limit: 100,
            key: { NameForm.isIdentifier($0, also: "-.") },
            keyForm: "letters, digits, and inside also . _ and -"
        ) { field in
            let members = field.list(limit: 1000)
            if members?.isEmpty == true { field.error("the group has no members: add one, or remove it") }
            return members?.compactMap { $0.signer() } ?? []
        }
    }

    /// A principal as it is, a fingerprint in upper case and without its `0x`.
    private func signer() -> String? {
        let form =
            "a principal of the allowed signers file, such as alice@example.com, or all 40 digits of a key's "
            + "fingerprint, quoted"
        let text = self.string(form: form) { text in
            let isPrincipal = !text.isEmpty && !text.contains { $0.isWhitespace || $0 == "," }
            return text.hasPrefix("0x") ? Self.fingerprint(text) != nil : isPrincipal
        }
        return text.map { Self.fingerprint($0) ?? $0 }
    }

    private static func fingerprint(_ text: String) -> String? {
        let digits = text.hasPrefix("0x") ? text.dropFirst(2) : text[...]
        guard digits.utf8.count == 40, digits.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
        return digits.uppercased()
    }
}
