package import GitHubApps
package import Reconciliation

/// Where the token is that a forge is asked with. Files are read anew each time.
package enum ForgeCredentials: Hashable, Sendable {
    /// In the first line of a file.
    case tokenFile(String)
    /// In a variable of this process's environment.
    case tokenVariable(String)
    /// Of GitHub alone.
    case gitHubApp(GitHubApp)
}

/// What an operator says about the forge of one repository.
package struct ForgeConfiguration: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable, CaseIterable { case github, gitlab, gitea }

    /// The repository's name in the daemon's configuration.
    package var repository: String
    package var kind: Kind
    /// Where the API begins, without a slash at its end: `https://api.github.com`, `https://gitlab.example/api/v4`,
    /// `https://gitea.example/api/v1`.
    package var url: String
    /// `owner/name`; of GitLab also `group/subgroup/name`.
    package var project: String
    /// The watched branch; nothing where a tag or a commit is watched.
    package var branch: String?
    package var credentials: ForgeCredentials
    /// A PEM file with the authorities of the server; nothing for the system's.
    package var caFile: String?
    package var topics: Set<ForgeTopic>
    /// What statuses and comments go by: two controllers of one repository need two.
    package var name: String
    /// Where a status leads to, with `${namespace}`, `${deployment}` and `${commit}`.
    package var link: String?
    /// For one request.
    package var timeout: Duration

    package init(
        repository: String,
        kind: Kind,
        url: String,
        project: String,
        branch: String?,
        credentials: ForgeCredentials,
        caFile: String? = nil,
        topics: Set<ForgeTopic> = [.status],
        name: String = "controller",
        link: String? = nil,
        timeout: Duration = .seconds(30)
    ) {
        self.repository = repository
        self.kind = kind
        self.url = url
        self.project = project
        self.branch = branch
        self.credentials = credentials
        self.caFile = caFile
        self.topics = topics
        self.name = name
        self.link = link
        self.timeout = timeout
    }
}
