import ControllerCommands
import ControllerServer
import Deployments
import Forges
import Git
import GitHubApps
import Reconciliation

extension Webhook {
    /// Nothing when the repository's server does not tell of pushes.
    init?(_ repository: Configuration.Repository) {
        guard let webhook = repository.webhook else { return nil }
        let kind: Webhook.Kind =
            switch webhook.kind {
            case .github: .github
            case .gitlab: .gitlab
            case .gitea: .gitea
            case .bitbucket: .bitbucket
            case .generic: .generic
            }
        self.init(repository: repository.name, kind: kind, secretFile: webhook.secretFile)
    }
}

extension GitRepositoryConfiguration {
    init(_ repository: Configuration.Repository) {
        self.init(
            name: repository.name,
            url: repository.url,
            reference: repository.reference,
            paths: repository.paths,
            historyRewrite: repository.historyRewrite == .accept ? .accept : .reject,
            signatures: SignatureRules(repository.signatures),
            caFile: repository.caFile,
            clientCertificate: repository.clientCertificate.map {
                ClientCertificate(certificateFile: $0.certificateFile, keyFile: $0.keyFile)
            },
            proxy: repository.proxy,
            timeout: repository.timeout,
            writesNotes: repository.writesNotes,
            reverts: repository.reverts,
            promotions: repository.promotions
        )
        switch repository.credentials {
        case .none: self.credentials = .none
        case .token(let file, let username): self.credentials = .token(file: file, username: username)
        case .tokenVariable(let name, let username):
            self.credentials = .tokenVariable(name: name, username: username)
        case .gitHubApp(let app):
            self.credentials = .gitHubApp(GitHubApp(app))
        case .sshKey(let file, let hosts): self.credentials = .sshKey(file: file, knownHostsFile: hosts)
        }
    }
}

extension ModelUpdatePolicy {
    init(_ update: Configuration.ModelUpdate) {
        self.init(
            alias: update.alias,
            model: update.model,
            deployments: update.deployments.map { Pattern(namespace: $0.namespace, name: $0.name) },
            mode: update.mode,
            interval: update.interval
        )
    }
}

extension GitHubApp {
    init(_ app: Configuration.GitHubApp) {
        self.init(
            appID: app.appID,
            installationID: app.installationID,
            privateKeyFile: app.privateKeyFile,
            api: app.api
        )
    }
}

extension ForgeConfiguration {
    /// Nothing when the repository's forge is told nothing.
    init?(_ repository: Configuration.Repository) {
        guard let forge = repository.forge else { return nil }
        let kind: Kind =
            switch forge.kind {
            case .github: .github
            case .gitlab: .gitlab
            case .gitea, .forgejo: .gitea
            }
        let credentials: ForgeCredentials =
            switch forge.credentials {
            case .tokenFile(let file): .tokenFile(file)
            case .tokenVariable(let name): .tokenVariable(name)
            case .gitHubApp(let app): .gitHubApp(GitHubApp(app))
            }
        let branch: String? = if case .branch(let name) = repository.reference { name } else { nil }
        self.init(
            repository: repository.name,
            kind: kind,
            url: forge.url,
            project: forge.project,
            branch: branch,
            credentials: credentials,
            caFile: forge.caFile,
            topics: Set(
                (forge.statuses ? [.status] : []) + (forge.comments ? [.comment] : [])
                    + (forge.deployments ? [.deployment] : [])
            ),
            name: forge.name,
            link: forge.link
        )
    }
}
