import Foundation
import GitHubApps
import Reconciliation

/// Everything a git program gets to see of this machine: its environment and its one configuration file.
struct GitSurroundings: Sendable {
    let environment: [String: String]
    private let configuration: GitRepositoryConfiguration
    private let remote: RemoteURL
    private let label: RepositoryLabel
    private let installationTokenFile: String

    /// Writes the configuration and the askpass script into `home`.
    init(
        configuration: GitRepositoryConfiguration,
        remote: RemoteURL,
        label: RepositoryLabel,
        home: String
    ) throws {
        self.configuration = configuration
        self.remote = remote
        self.label = label
        let settings = home + "/gitconfig"
        let askpass = home + "/askpass"
        self.installationTokenFile = home + "/installation-token"
        try Self.write(Self.settings(configuration), to: settings, permissions: 0o600)
        try Self.write(Self.askpass, to: askpass, permissions: 0o700)
        var environment = Self.inherited()
        environment["HOME"] = home
        environment["LC_ALL"] = "C"
        environment["TZ"] = "UTC"
        environment["GIT_CONFIG_NOSYSTEM"] = "1"
        environment["GIT_CONFIG_GLOBAL"] = settings
        environment["GIT_ATTR_NOSYSTEM"] = "1"
        environment["GIT_NO_REPLACE_OBJECTS"] = "1"
        environment["GIT_TERMINAL_PROMPT"] = "0"
        environment["GIT_ALLOW_PROTOCOL"] = "file:git:http:https:ssh"
        environment["GIT_ASKPASS"] = askpass
        environment["SSH_ASKPASS"] = askpass
        switch configuration.credentials {
        case .none:
            break
        case .token(let file, let username):
            environment["CONTROLLER_GIT_TOKEN_FILE"] = file
            environment["CONTROLLER_GIT_USERNAME"] = username
        case .tokenVariable(let name, let username):
            environment["CONTROLLER_GIT_TOKEN"] = ProcessInfo.processInfo.environment[name]
            environment["CONTROLLER_GIT_USERNAME"] = username
        case .gitHubApp:
            environment["CONTROLLER_GIT_TOKEN_FILE"] = self.installationTokenFile
            environment["CONTROLLER_GIT_USERNAME"] = "x-access-token"
        case .sshKey(let file, let knownHostsFile):
            environment["GIT_SSH_COMMAND"] = Self.ssh(key: file, knownHosts: knownHostsFile)
            environment["GIT_SSH_VARIANT"] = "ssh"
        }
        if configuration.proxy != nil {
            // It is named for this repository alone, whatever the environment says about its host.
            (environment["no_proxy"], environment["NO_PROXY"]) = (nil, nil)
        }
        self.environment = environment
    }

    /// For the programs that run from here on.
    func write(_ token: InstallationToken) throws {
        try Self.write(token.text + "\n", to: self.installationTokenFile, permissions: 0o600)
    }

    /// Says what is wrong with the credentials before git does, because git does not name the file.
    func checkCredentials() throws(SourceError) {
        switch (self.configuration.credentials, self.remote.transport) {
        case (.none, .file), (.none, .git), (.none, .http), (.none, .https):
            break
        case (.none, .ssh), (.token, .ssh), (.tokenVariable, .ssh), (.gitHubApp, .ssh):
            throw self.label.error(.notConfigured, "ssh needs a key and known host keys: set credentials to an ssh key")
        case (.token, .file), (.tokenVariable, .file), (.gitHubApp, .file), (.sshKey, .file):
            throw self.label.error(.notConfigured, "a repository on this machine takes no credentials: remove them")
        case (.token, .git), (.tokenVariable, .git), (.gitHubApp, .git), (.sshKey, .git):
            throw self.label.error(.notConfigured, "git:// takes no credentials: remove them, or use https or ssh")
        case (.sshKey, .http), (.sshKey, .https):
            throw self.label.error(.notConfigured, "http takes a token and not an ssh key: change credentials or url")
        case (.token, .http) where !self.remote.isLoopback, (.tokenVariable, .http) where !self.remote.isLoopback,
            (.gitHubApp, .http) where !self.remote.isLoopback:
            throw self.label.error(.notConfigured, "a token is not sent over http, where others can read it: use https")
        case (.token(let file, let username), .http), (.token(let file, let username), .https):
            guard !username.isEmpty, !username.contains(where: \.isNewline) else {
                throw self.label.error(.notConfigured, "the user name of the token is empty or has several lines")
            }
            try self.requireSecret(file, "token")
        case (.tokenVariable(let name, _), .http), (.tokenVariable(let name, _), .https):
            guard let token = self.environment["CONTROLLER_GIT_TOKEN"], !token.isEmpty,
                !token.contains(where: \.isNewline)
            else {
                throw self.label.error(
                    .notConfigured,
                    "the variable \(self.label.shown(name)) of the controller's environment holds no token: set it "
                        + "to one line and restart"
                )
            }
        case (.gitHubApp(let app), .http), (.gitHubApp(let app), .https):
            try self.requireSecret(app.privateKeyFile, "private key")
        case (.sshKey(let file, let knownHostsFile), .ssh):
            for path in [file, knownHostsFile] where path.contains(where: { "\"%\\$~\n".contains($0) }) {
                throw self.label.error(.notConfigured, "ssh cannot take the path \(path): rename the file")
            }
            try self.requireSecret(file, "ssh key")
            try self.requireSecret(knownHostsFile, "known hosts")
        }
        if let caFile = self.configuration.caFile {
            try self.requireSecret(caFile, "certificate authority")
        }
        if let client = self.configuration.clientCertificate {
            try self.requireSecret(client.certificateFile, "client certificate")
            try self.requireSecret(client.keyFile, "client key")
        }
    }

    private func requireSecret(_ path: String, _ what: String) throws(SourceError) {
        guard path.hasPrefix("/") else {
            throw self.label.error(.notConfigured, "the path of the \(what) file, \(path), is not absolute")
        }
        let content: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(filePath: path))
            content = try handle.read(upToCount: 4 << 20) ?? Data()
            try handle.close()
        } catch {
            throw self.label.error(
                .notConfigured,
                "the \(what) file \(path) cannot be read: make it exist and readable for this user (id \(getuid()))"
            )
        }
        guard content.contains(where: { $0 > 0x20 }) else {
            throw self.label.error(.notConfigured, "the \(what) file \(path) is empty: write the \(what) into it")
        }
    }

    // MARK: - Files

    /// Answers git's questions; the token goes from its file to git and nowhere else.
    private static let askpass = """
        #!/bin/sh
        case "$1" in
        Username*) printf '%s\\n' "$CONTROLLER_GIT_USERNAME" ;;
        Password*)
            [ -z "$CONTROLLER_GIT_TOKEN" ] || { printf '%s\\n' "$CONTROLLER_GIT_TOKEN"; exit; }
            [ -n "$CONTROLLER_GIT_TOKEN_FILE" ] || exit 1
            IFS= read -r token < "$CONTROLLER_GIT_TOKEN_FILE" || [ -n "$token" ] || exit 1
            printf '%s\\n' "$token"
            ;;
        *) exit 1 ;;
        esac

        """

    private static func settings(_ configuration: GitRepositoryConfiguration) -> String {
        // A redirect could carry the token to another host. Background maintenance would outlive the deadline. Every
        // fetch becomes one pack, so that packs can be counted. `safe.directory` lets git serve a `file://` remote
        // of another user; these programs touch that remote and our own store, nothing else.
        var text = """
            [protocol]
                version = 2
            [http]
                followRedirects = false
            [core]
                packedGitWindowSize = 32m
                packedGitLimit = 512m
                bigFileThreshold = 64m
            [fetch]
                unpackLimit = 1
                recurseSubmodules = no
                showForcedUpdates = false
            [push]
                recurseSubmodules = no
            [gc]
                auto = 0
            [maintenance]
                auto = false
            [safe]
                directory = *

            """
        for (name, value) in [
            ("sslCAInfo", configuration.caFile), ("sslCert", configuration.clientCertificate?.certificateFile),
            ("sslKey", configuration.clientCertificate?.keyFile), ("proxy", configuration.proxy),
        ] {
            guard let value else { continue }
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
            text += "[http]\n    \(name) = \"\(escaped)\"\n"
        }
        return text
    }

    /// git hands this to a shell, so paths are quoted for it, and again for ssh.
    private static func ssh(key: String, knownHosts: String) -> String {
        let options = [
            "BatchMode=yes", "IdentitiesOnly=yes", "IdentityAgent=none", "PasswordAuthentication=no",
            "StrictHostKeyChecking=yes", "UpdateHostKeys=no", "GlobalKnownHostsFile=/dev/null",
            "UserKnownHostsFile=\"\(knownHosts)\"", "IdentityFile=\"\(key)\"",
        ]
        return (["ssh", "-F", "/dev/null"] + options.flatMap { ["-o", Self.quoted($0)] }).joined(separator: " ")
    }

    private static func quoted(_ word: String) -> String {
        "'" + word.replacing("'", with: "'\\''") + "'"
    }

    /// The search path, and the proxies without which some networks have no way out.
    private static func inherited() -> [String: String] {
        let all = ProcessInfo.processInfo.environment
        var environment = ["PATH": all["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"]
        for name in ["https_proxy", "HTTPS_PROXY", "http_proxy", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"] {
            environment[name] = all[name]
        }
        return environment
    }

    private static func write(_ text: String, to path: String, permissions: Int) throws {
        // Under another name first: a git that runs never sees half a file.
        let draft = path + ".new"
        let isWritten = FileManager.default.createFile(
            atPath: draft,
            contents: Data(text.utf8),
            attributes: [.posixPermissions: permissions]
        )
        guard isWritten, rename(draft, path) == 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: [NSFilePathErrorKey: path])
        }
    }
}
