import Manifests

extension Configuration {
    /// The server around a repository, and what it is told.
    package struct Forge: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable, CaseIterable {
            case github, gitlab, gitea
            /// Has Gitea's API.
            case forgejo
        }

        package enum Credentials: Hashable, Sendable {
            case tokenFile(String)
            /// In a variable of the daemon's environment.
            case tokenVariable(String)
            case gitHubApp(GitHubApp)
        }

        package var kind: Kind
        /// Where the API begins, without a slash at its end.
        package var url: String
        /// `owner/name`; of GitLab also `group/subgroup/name`.
        package var project: String
        package var credentials: Credentials
        package var caFile: String?
        package var statuses: Bool
        package var comments: Bool
        package var deployments: Bool
        /// What statuses and comments go by.
        package var name: String
        /// Where statuses lead to.
        package var link: String?

        /// - Parameters:
        ///   - field: The forge.
        ///   - remote: The repository's URL.
        ///   - opener: What opens the repository; an app tells its forge too, unless it has credentials of its own.
        init?(decoding field: Field, of remote: String?, openedBy opener: Configuration.Credentials) {
            guard let members = field.members(of: .forge) else { return nil }
            let kind = members["kind"]?.choice(of: Kind.self)
            let address = remote.flatMap(RemoteAddress.init)
            let url = members["url"].map { $0.apiURL() } ?? kind.flatMap { address?.api(of: $0) }
            if members["url"] == nil, let kind, remote != nil, url == nil {
                let example = "https://\(address?.host ?? "git.example")\(kind.path)"
                field.error(
                    "`url` is missing, and can't be known from the repository's: add for example `url: \(example)`"
                )
            }
            let credentials = Credentials(members: members, of: kind, at: url, openedBy: opener)
            let project = members["project"].map { $0.project(of: kind) } ?? address?.project
            if members["project"] == nil, remote != nil, project.map({ !Self.isProject($0, of: kind) }) ?? true {
                field.error(
                    "`project` can't be known from the repository's `url`: add for example `project: team/models`"
                )
            }
            self.caFile = members["caFile"]?.absolutePath()
            if let url, !url.hasPrefix("https://") {
                members["caFile"]?.error("`caFile` is only for https URLs: remove it, or use another `url`")
            }
            self.statuses = members["statuses"]?.boolean() ?? true
            self.comments = members["comments"]?.boolean() ?? false
            self.deployments = members["deployments"]?.boolean() ?? false
            if self.deployments, kind == .gitea || kind == .forgejo {
                members["deployments"]?.error("Gitea and Forgejo have no deployments: remove this")
            }
            self.name = members["name"]?.remoteName() ?? "controller"
            self.link = members["link"]?.link()
            guard let kind, let url, let project, let credentials else { return nil }
            self.kind = kind
            self.url = url
            self.project = project
            self.credentials = credentials
        }

        fileprivate static func isProject(_ text: String, of kind: Kind?) -> Bool {
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            let count = kind == .gitlab ? 2...20 : 2...2
            return count.contains(parts.count)
                && parts.allSatisfy { part in
                    !part.isEmpty && part != "." && part != ".."
                        && part.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"?#%\\".utf8.contains($0) }
                }
        }
    }
}

extension Configuration.Forge.Credentials {
    /// `url` is where the forge's API is, which an app asks for its tokens unless it says otherwise.
    fileprivate init?(
        members: Members,
        of kind: Configuration.Forge.Kind?,
        at url: String?,
        openedBy opener: Configuration.Credentials
    ) {
        let file = members["tokenFile"]?.absolutePath()
        let form = "the name of a variable, such as GITHUB_TOKEN"
        let variable = members["tokenVariable"]?.string(form: form, where: NameForm.isEnvironmentVariable)
        let app = members["gitHubApp"].flatMap {
            Configuration.GitHubApp(decoding: $0, askingAt: url ?? Configuration.GitHubApp.publicAPI)
        }
        var names = ["tokenFile", "tokenVariable", "gitHubApp"]
        if let kind, kind != .github {
            if let given = members["gitHubApp"] {
                given.error("only GitHub has apps: use `tokenFile` or `tokenVariable`")
                return nil
            }
            names.removeLast()
        }
        // Its tokens are sent to nobody but the server that they are of.
        if kind == .github, case .gitHubApp(let app) = opener, app.api == url,
            !names.contains(where: { members[$0] != nil })
        {
            self = .gitHubApp(app)
            return
        }
        switch members.exactlyOne(of: names) {
        case "tokenFile":
            guard let file else { return nil }
            self = .tokenFile(file)
        case "tokenVariable":
            guard let variable else { return nil }
            self = .tokenVariable(variable)
        case "gitHubApp":
            guard let app else { return nil }
            self = .gitHubApp(app)
        default: return nil
        }
    }
}

extension Configuration.Forge.Kind {
    /// Where the API begins on a server of one's own.
    fileprivate var path: String {
        switch self {
        case .github: "/api/v3"
        case .gitlab: "/api/v4"
        case .gitea, .forgejo: "/api/v1"
        }
    }
}

/// What the URL of a repository says of its forge.
private struct RemoteAddress {
    var scheme: String
    /// With a port, where there is one.
    var authority: Substring
    var project: String?

    /// - Returns: Nothing for files.
    init?(_ url: String) {
        let path: Substring
        if let range = url.firstRange(of: "://") {
            self.scheme = String(url[..<range.lowerBound])
            guard ["https", "http", "ssh"].contains(self.scheme) else { return nil }
            self.authority = url[range.upperBound...].prefix { $0 != "/" }
            path = url[range.upperBound...].dropFirst(self.authority.count)
        } else {
            guard !url.hasPrefix("/"), let colon = url.firstIndex(of: ":") else { return nil }
            self.scheme = "ssh"
            self.authority = url[..<colon]
            path = url[url.index(after: colon)...]
        }
        if let at = self.authority.lastIndex(of: "@") {
            self.authority = self.authority[self.authority.index(after: at)...]
        }
        var project = path.split(separator: "/").joined(separator: "/")
        if project.hasSuffix(".git") { project.removeLast(4) }
        self.project = project.isEmpty ? nil : project
    }

    var host: String { self.authority.prefix { $0 != ":" }.lowercased() }

    /// Of a server that is told by ssh, the address for people may be another.
    func api(of kind: Configuration.Forge.Kind) -> String? {
        switch (kind, self.host) {
        case (.github, "github.com"), (.github, "ssh.github.com"): "https://api.github.com"
        case (.gitlab, "gitlab.com"), (.gitlab, "altssh.gitlab.com"): "https://gitlab.com/api/v4"
        case (.github, _), (.gitlab, _), (.gitea, _), (.forgejo, _):
            self.scheme == "https" ? "https://\(self.authority.lowercased())\(kind.path)" : nil
        }
    }
}

extension Field {
    fileprivate func project(of kind: Configuration.Forge.Kind?) -> String? {
        let form =
            kind == .gitlab ? "a group and a name, such as team/models" : "an owner and a name, such as team/models"
        return self.string(limit: 512, form: form) { Configuration.Forge.isProject($0, of: kind) }
    }

    /// Without a slash at its end.
    fileprivate func apiURL() -> String? {
        guard let url = self.webURL() else { return nil }
        let host = url.dropFirst("http://".count).prefix { $0 != "/" && $0 != ":" }
        let isHere = host == "localhost" || host.hasPrefix("127.") && host.allSatisfy { $0 == "." || $0.isWholeNumber }
        if url.hasPrefix("http://"), !isHere {
            self.error("the token would travel readable for everyone on the way: use an https URL")
            return nil
        }
        return url
    }

    fileprivate func link() -> String? {
        self.string(
            limit: 1024,
            form: "an http or https URL, in which ${namespace}, ${deployment} and ${commit} may be"
        ) {
            let isWeb = $0.hasPrefix("https://") || $0.hasPrefix("http://")
            return isWeb && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } && !$0.contains("@")
        }
    }
}
