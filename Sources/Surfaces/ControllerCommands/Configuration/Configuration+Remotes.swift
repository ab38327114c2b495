import Deployments
import Manifests

extension Configuration.Repository {
    /// - Parameters:
    ///   - field: The repository.
    ///   - others: What opens repositories that name no credentials of their own.
    init?(decoding field: Field, others: [Configuration.GitCredential]) {
        guard let members = field.members(of: .repository) else { return nil }
        let name = members["name"]?.remoteName()
        let url = members["url"]?.repositoryURL()
        let times: ClosedRange<Duration> = .seconds(1) ... .hours(24)
        var deletion = Configuration.Deletion()
        if let given = members["deletion"]?.members(of: .deletion) {
            deletion.grace = given["grace"]?.duration(in: .zero ... .hours(24 * 30)) ?? deletion.grace
            deletion.maxShare = given["maxShare"]?.percentage(in: 0...100) ?? deletion.maxShare
        }
        let credentials = members["credentials"]
        let own = credentials.flatMap { field in
            field.members(of: .credentials).flatMap { Configuration.Credentials(members: $0, at: field) }
        }
        let other = credentials == nil ? others.for(url ?? "") : nil
        let repository = Configuration.Repository(
            name: name ?? "",
            url: url ?? "",
            reference: members.watchedReference() ?? .branch("main"),
            paths: members.watchedFolders(),
            interval: members["interval"]?.duration(in: times) ?? .seconds(30),
            timeout: members["timeout"]?.duration(in: times) ?? .seconds(60),
            historyRewrite: members["historyRewrite"]?.choice(of: Configuration.HistoryRewrite.self) ?? .reject,
            signatures: members["signatures"].flatMap { Configuration.Signatures(decoding: $0) },
            deletion: deletion,
            credentials: own ?? other ?? .none,
            caFile: members["caFile"]?.absolutePath(),
            clientCertificate: members["clientCertificate"].flatMap { Configuration.ClientCertificate(decoding: $0) },
            proxy: members["proxy"]?.webURL(namedBy: nil),
            writesNotes: members["notes"]?.boolean() ?? false,
            reverts: members["reverts"]?.choice(of: RevertChoice.self)?.mode,
            promotions: members["promotions"]?.choice(of: Configuration.PromotionChoice.self)?.mode,
            webhook: members["webhook"].flatMap { Configuration.Webhook(decoding: $0) },
            forge: members["forge"].flatMap {
                Configuration.Forge(decoding: $0, of: url, openedBy: own ?? other ?? .none)
            }
        )
        guard name != nil, url != nil else { return nil }
        repository.check(members, at: members["credentials"] ?? field)
        self = repository
    }

    /// What is given must be of use for the URL.
    private func check(_ members: Members, at credentials: Field) {
        let isHTTP = self.url.hasPrefix("https://") || self.url.hasPrefix("http://")
        let isFile = ["file://", "git://", "/"].contains(where: self.url.hasPrefix)
        switch self.credentials {
        case .none: break
        case .sshKey where isHTTP || isFile:
            credentials.error("a key opens only ssh URLs: use `tokenFile`, or another `url`")
        case .sshKey: break
        case .token, .tokenVariable, .gitHubApp:
            if !isHTTP {
                credentials.error("a token opens only http and https URLs: use `sshKeyFile`, or another `url`")
            } else if self.url.hasPrefix("http://") {
                credentials.warning("the token travels readable for everyone on the way: use an https URL")
            }
        }
        if case .branch = self.reference {
        } else if self.reverts != nil {
            members["reverts"]?.error("a revert goes to a branch: watch a `branch`, or remove `reverts`")
        }
        if case .branch = self.reference {
        } else if self.promotions != nil {
            members["promotions"]?.error("a model is proposed to a branch: watch a `branch`, or remove `promotions`")
        }
        if self.promotions == .pullRequest, members["forge"] == nil {
            members["promotions"]?.error("only a forge opens pull requests: add `forge`, or use `promotions: branch`")
        }
        if self.reverts == .pullRequest, members["forge"] == nil {
            members["reverts"]?.error("only a forge opens pull requests: add `forge`, or use `reverts: branch`")
        }
        if case .branch = self.reference {
        } else if let forge = self.forge, forge.kind == .gitlab, forge.deployments {
            members["forge"]?.error("deployments of GitLab are of a branch: watch a `branch`, or remove `deployments`")
        }
        if let forge = self.forge, !forge.statuses, !forge.comments, !forge.deployments,
            self.reverts ?? .branch < .pullRequest, self.promotions != .pullRequest
        {
            members["forge"]?.warning("it is told nothing: turn on `statuses` or `comments`, or remove `forge`")
        }
        if self.reverts == .push, let signatures = self.signatures, signatures.requirement != .none {
            members["reverts"]?.error(
                "nobody signs a revert, so it would stop the watched branch: use `reverts: branch`, or no `signatures`"
            )
        }
        if !self.url.hasPrefix("https://") {
            for name in ["caFile", "clientCertificate"] {
                members[name]?.error("\(name.inBackticks) is only for https URLs: remove it, or use another `url`")
            }
        }
        if !isHTTP {
            members["proxy"]?.error("`proxy` is only for http and https URLs: remove it, or use another `url`")
        }
    }
}

extension Members {
    /// - Returns: Nothing when none is given, or what is given has errors.
    /// Folders from `path` or `paths`, none of which lies in another.
    fileprivate func watchedFolders() -> [String] {
        if let path = self["path"] {
            self["paths"]?.error("`path` is given, too: write all folders in `paths`, and remove `path`")
            return path.folder().map { [$0] } ?? []
        }
        var folders: [String] = []
        for field in self["paths"]?.list(limit: 100) ?? [] {
            guard let folder = field.folder() else { continue }
            let other = folders.first {
                $0.isEmpty || folder.isEmpty || "\(folder)/".hasPrefix("\($0)/") || "\($0)/".hasPrefix("\(folder)/")
            }
            if let other {
                let whole = { (folder: String) in folder.isEmpty ? "the whole tree" : folder.inBackticks }
                field.error(
                    "\(whole(folder)) and \(whole(other)) overlap: watch one of them, or folders beside each other"
                )
            }
            folders.append(folder)
        }
        return folders
    }

    fileprivate func watchedReference() -> WatchedReference? {
        let names = ["branch", "tag", "commit", "semver"]
        guard names.contains(where: { self[$0] != nil }) else { return nil }
        // Each is read, so that all errors are told.
        let branch = self["branch"]?.referenceName(of: "branch, such as main or release/1.2, without refs/heads/")
        let tag = self["tag"]?.referenceName(of: "tag, such as v1.2.3, without refs/tags/")
        let commit = self["commit"]?.string(form: "all 40 digits of a commit's id, quoted, in lower case") { text in
            text.count == 40 && text.allSatisfy { "0123456789abcdef".contains($0) }
        }
        let form = "a range of versions, such as \">=1.2.0 <2.0.0\", \"^1.2\" or \"1.x\""
        let range = self["semver"]?.string(limit: 256, form: form) { VersionRange($0) != nil }.flatMap(
            VersionRange.init
        )
        switch self.exactlyOne(of: names) {
        case "branch": return branch.map { .branch($0) }
        case "tag": return tag.map { .tag($0) }
        case "commit": return commit.map { .commit($0) }
        case "semver": return range.map { .versions($0) }
        default: return nil
        }
    }
}

extension Configuration.Credentials {
    fileprivate init?(members: Members, at field: Field) {
        let token = members["tokenFile"]?.absolutePath()
        let form = "the name of a variable, such as GIT_TOKEN"
        let variable = members["tokenVariable"]?.string(form: form, where: NameForm.isEnvironmentVariable)
        let app = members["gitHubApp"].flatMap { Configuration.GitHubApp(decoding: $0) }
        let username = members["username"]?.string(limit: 256)
        let key = members["sshKeyFile"]?.absolutePath()
        let hosts = members["knownHostsFile"]?.absolutePath()
        let kind = members.exactlyOne(of: ["tokenFile", "tokenVariable", "gitHubApp", "sshKeyFile"])
        if kind != "sshKeyFile", kind != nil {
            members["knownHostsFile"]?.error("`knownHostsFile` belongs to `sshKeyFile`: remove it")
        }
        switch kind {
        case "tokenFile":
            guard let token else { return nil }
            self = .token(file: token, username: username ?? "git")
        case "tokenVariable":
            guard let variable else { return nil }
            self = .tokenVariable(name: variable, username: username ?? "git")
        case "gitHubApp":
            members["username"]?.error("`username` belongs to a token: an app has its own, remove it")
            guard let app else { return nil }
            self = .gitHubApp(app)
        case "sshKeyFile":
            members["username"]?.error("`username` belongs to a token: an ssh URL has its own, ssh://git@host/…")
            if members["knownHostsFile"] == nil {
                field.error("`knownHostsFile` is missing: write what `ssh-keyscan HOST` prints into a file, check it")
            }
            guard let key, let hosts else { return nil }
            self = .sshKey(file: key, knownHostsFile: hosts)
        default: return nil
        }
    }
}

extension Configuration.GitHubApp {
    static let publicAPI = "https://api.github.com"

    /// `usual` is where it asks for tokens unless it says otherwise.
    init?(decoding field: Field, askingAt usual: String = Self.publicAPI) {
        guard let members = field.members(of: .gitHubApp) else { return nil }
        let app = members["appID"]?.integer(in: 1...Int.max)
        let installation = members["installationID"]?.integer(in: 1...Int.max)
        let key = members["privateKeyFile"]?.absolutePath()
        let api = members["api"]?.webURL(namedBy: "privateKeyFile")
        guard let app, let installation, let key else { return nil }
        self.init(
            appID: "\(app)",
            installationID: "\(installation)",
            privateKeyFile: key,
            api: api ?? usual
        )
    }
}

extension Configuration.ClientCertificate {
    fileprivate init?(decoding field: Field) {
        guard let members = field.members(of: .clientCertificate) else { return nil }
        let certificate = members["certificateFile"]?.absolutePath()
        let key = members["keyFile"]?.absolutePath()
        guard let certificate, let key else { return nil }
        self.init(certificateFile: certificate, keyFile: key)
    }
}

extension Configuration {
    /// What opens the repositories whose URL begins so.
    struct GitCredential {
        var prefix: String
        var credentials: Credentials

        init?(decoding field: Field) {
            guard let members = field.members(of: .gitCredential) else { return nil }
            // Without an end, https://git.example would be the beginning of https://git.example.evil/, too.
            let form = "the beginning of a URL, with a slash at its end, such as https://git.example/team/"
            let prefix = members["prefix"]?.string(limit: 2048, form: form) { text in
                let parts = text.split(separator: "/", omittingEmptySubsequences: false)
                return ["https:", "http:", "ssh:"].contains(parts[0]) && parts.count > 3 && parts[1].isEmpty
                    && !parts[2].isEmpty && !parts[2].contains(":@") && text.hasSuffix("/")
            }
            let credentials = Credentials(members: members, at: field)
            guard let prefix, let credentials else { return nil }
            self.prefix = prefix
            self.credentials = credentials
        }
    }
}

extension [Configuration.GitCredential] {
    /// Those of the longest prefix.
    fileprivate func `for`(_ url: String) -> Configuration.Credentials? {
        self.filter { url.hasPrefix($0.prefix) }.max { $0.prefix.count < $1.prefix.count }?.credentials
    }
}

extension Configuration.Provider {
    init?(decoding field: Field) {
        guard let members = field.members(of: .provider) else { return nil }
        let name = members["name"]?.label()
        if name == Gate.Kind.feedback {
            members["name"]?.error("`feedback` is what the controller itself is told: choose another name")
        }
        let kind = members["kind"]?.choice(of: Kind.self)
        let url = members["url"]?.webURL(namedBy: "tokenFile")
        let timeout = members["timeout"]?.duration(in: .milliseconds(100) ... .minutes(5))
        let tokenFile = members["tokenFile"]?.absolutePath()
        guard let name, let kind, let url else { return nil }
        self.init(name: name, kind: kind, url: url, timeout: timeout ?? .seconds(5), tokenFile: tokenFile)
    }
}

extension Field {
    func remoteName() -> String? {
        self.string(form: "letters, digits, and inside also . _ and -") { NameForm.isIdentifier($0, also: "-.") }
    }

    /// The rules of `git check-ref-format`, a little stricter.
    fileprivate func referenceName(of kind: String) -> String? {
        self.string(limit: 200, form: "the name of a \(kind)") { name in
            let parts = name.split(separator: "/", omittingEmptySubsequences: false)
            return !name.hasPrefix("refs/") && !name.hasPrefix("-") && !name.contains("..") && !name.contains("@{")
                && parts.allSatisfy {
                    !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".lock") && !$0.hasSuffix(".")
                }
                && name.unicodeScalars.allSatisfy {
                    $0.value > 0x20 && $0.value != 0x7F && !" ~^:?*[\\".unicodeScalars.contains($0)
                }
        }
    }

    /// From the root of a repository, without slashes at its ends.
    fileprivate func folder() -> String? {
        let form = "a folder from the root of the repository, such as deployments, without .."
        let path = self.string(limit: 1024, form: form) { text in
            !text.hasPrefix("/") && !text.split(separator: "/").contains { [".", ".."].contains($0) || $0 == ".git" }
        }
        return path.map { $0.split(separator: "/").joined(separator: "/") }
    }

    fileprivate func repositoryURL() -> String? {
        guard let url = self.urlWithoutSecret(namedBy: "credentials") else { return nil }
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !url.hasPrefix("-"), url.count > 1 else {
            self.expected("the URL of a git repository")
            return nil
        }
        if url.hasPrefix("/") || url.hasPrefix("file:///") { return url }
        guard let range = url.firstRange(of: "://") else {
            // user@host:path, as ssh writes it
            let parts = url.split(separator: ":", maxSplits: 1)
            let host = parts.first?.split(separator: "@").last.map { $0.lowercased() } ?? ""
            if parts.count == 2, NameForm.isHost(host) { return url }
            self.expected("a URL with file, http, https or ssh")
            return nil
        }
        let scheme = url[..<range.lowerBound]
        guard ["git", "http", "https", "ssh"].contains(scheme) else {
            self.expected("a URL with file, http, https or ssh")
            return nil
        }
        guard url[range.upperBound...].first.map({ $0 != "/" }) ?? false else {
            self.expected("a URL with a host")
            return nil
        }
        let host = url[range.upperBound...].prefix { $0 != "/" && $0 != ":" }
        let isHere = host == "localhost" || host.hasPrefix("127.") && host.allSatisfy { $0 == "." || $0.isWholeNumber }
        if scheme == "git", !isHere {
            self.error("git:// shows neither who the server is nor that nobody changed what it sends: use https or ssh")
            return nil
        }
        return url
    }

    /// Without a slash at its end.
    func webURL(namedBy setting: String? = "tokenFile") -> String? {
        guard let url = self.urlWithoutSecret(namedBy: setting) else { return nil }
        guard let range = url.firstRange(of: "://"), ["http", "https"].contains(url[..<range.lowerBound]),
            url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }), !url.contains("?"), !url.contains("#"),
            url[range.upperBound...].first.map({ $0 != "/" }) ?? false
        else {
            self.expected("an http or https URL without query")
            return nil
        }
        return url.hasSuffix("/") ? String(url.dropLast()) : url
    }

    /// Refuses passwords, and with http also users, as tokens are given in their place. Comes before every check whose
    /// message would repeat the value.
    private func urlWithoutSecret(namedBy setting: String?) -> String? {
        guard let url = self.string(limit: 2048) else { return nil }
        let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
        guard let at = rest.prefix(while: { $0 != "/" }).lastIndex(of: "@") else { return url }
        guard rest[..<at].contains(":") || url.hasPrefix("http") else { return url }
        let place = setting.map { ", and name a file that holds it with `\($0)`" } ?? ""
        self.error("a secret must not be part of a URL: remove it\(place)")
        return nil
    }
}
