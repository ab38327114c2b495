package import Deployments
package import GitHubApps

/// What an operator says about one watched repository.
package struct GitRepositoryConfiguration: Hashable, Sendable {
    /// What to do when the branch moves to a commit that does not descend from the last one taken.
    package enum HistoryRewrite: String, Hashable, Sendable { case reject, accept }

    /// Unique among the repositories of one daemon: letters, digits, `.`, `_` and `-`, not beginning with a dot.
    package var name: String
    /// `https://…`, `http://…`, `ssh://…`, `user@host:path`, `file:///…` or an absolute path, without a password.
    package var url: String
    package var reference: WatchedReference
    /// The folders that are watched, from the root of the repository; none for the whole tree.
    package var paths: [String]
    package var historyRewrite: HistoryRewrite
    /// Who must have signed what is taken; nothing where nobody needs to.
    package var signatures: SignatureRules?
    package var credentials: GitCredentials
    /// A PEM file with the certificate authorities of an `https` server; nothing for the system's.
    package var caFile: String?
    /// What an `https` server that asks for a client certificate gets.
    package var clientCertificate: ClientCertificate?
    /// `http://host:port` of the proxy on the way to an http or https server, without a password; nothing for what the
    /// environment says.
    package var proxy: String?
    /// For everything that one poll or one note does on the network.
    package var timeout: Duration
    package var writesNotes: Bool
    /// The most that a revert may do; nothing when none may be written.
    package var reverts: RevertMode?
    /// The most that a promotion may do; nothing when none may be written.
    package var promotions: ModelPromotion.Mode?
    package var limits: GitLimits

    package init(
        name: String,
        url: String,
        reference: WatchedReference = .branch("main"),
        paths: [String] = [],
        historyRewrite: HistoryRewrite = .reject,
        signatures: SignatureRules? = nil,
        credentials: GitCredentials = .none,
        caFile: String? = nil,
        clientCertificate: ClientCertificate? = nil,
        proxy: String? = nil,
        timeout: Duration = .seconds(60),
        writesNotes: Bool = false,
        reverts: RevertMode? = nil,
        promotions: ModelPromotion.Mode? = nil,
        limits: GitLimits = GitLimits()
    ) {
        self.name = name
        self.url = url
        self.reference = reference
        self.paths = paths
        self.historyRewrite = historyRewrite
        self.signatures = signatures
        self.credentials = credentials
        self.caFile = caFile
        self.clientCertificate = clientCertificate
        self.proxy = proxy
        self.timeout = timeout
        self.writesNotes = writesNotes
        self.reverts = reverts
        self.promotions = promotions
        self.limits = limits
    }
}

/// Where the secret is that opens a repository. Files are read anew each time, so a rotated secret needs no restart.
package enum GitCredentials: Hashable, Sendable {
    case none
    /// A password or access token: the first line of `file`. Forges that only look at the token take any user name.
    case token(file: String, username: String = "git")
    /// The same in a variable of this process's environment, read when the repository is first opened.
    case tokenVariable(name: String, username: String = "git")
    case gitHubApp(GitHubApp)
    /// A private key without passphrase, and the host keys that are trusted, as `ssh-keyscan` prints them.
    case sshKey(file: String, knownHostsFile: String)
}

/// PEM files of a certificate and of its key, which has no passphrase.
package struct ClientCertificate: Hashable, Sendable {
    package var certificateFile: String
    package var keyFile: String

    package init(certificateFile: String, keyFile: String) {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
    }
}

/// Bounds on what a repository, which others write, may make this process do.
package struct GitLimits: Hashable, Sendable {
    /// Bytes of one manifest. Kubernetes holds no object above 1.5 MiB; a manifest near that is a mistake.
    package var fileBytes = 1 << 20
    /// Bytes of all manifests of one commit; they are held in memory.
    package var totalBytes = 64 << 20
    /// Manifests of one commit.
    package var files = 20_000
    /// Bytes of the list of a server's tags: about 130 for each.
    package var listBytes = 32 << 20
    /// Entries of all folders looked at, read or not.
    package var entries = 1_000_000
    /// Folders within folders, below the watched one.
    package var depth = 64
    /// Bytes of any one file that `git` writes here, which bounds what one fetch brings.
    package var packBytes = 4 << 30
    /// The same of a fetch that does not say how far back it goes, as the usual poll's. Manifests are small; what is
    /// larger is the history behind a branch that was rewritten, and is fetched step by step.
    package var incrementBytes = 64 << 20
    /// Packs in the local store before it is written anew; each fetch adds one.
    package var packs = 64
    /// Bytes of a note already on a commit.
    package var noteBytes = 1 << 20
    /// Bytes of a commit without its files, where it must be signed.
    package var commitBytes = 1 << 20
    /// Commits that are verified at once.
    package var signedCommits = 100_000
    /// For one signature. It takes some milliseconds; 20 s is a machine that is out of breath, or a program that hangs.
    package var signatureTime = Duration.seconds(20)

    package init() {}
}
