import Foundation
import Glibc
import Reconciliation

/// Asks `ssh-keygen` and `gpg` whose signature one is.
///
/// They see copies of the operator's files in a folder of their own, and nothing else of this machine: no agent, no
/// configuration, no keyring of the user, no key server.
struct SignatureVerifier {
    /// Who signed.
    struct Signer: Hashable, CustomStringConvertible {
        /// Principals of the allowed signers file, or fingerprints in upper case.
        var names: Set<String>

        var description: String {
            PrintableText.line(self.names.sorted().joined(separator: ", "), limit: 200)
        }
    }

    enum Failure: Error {
        case refused(CommitSignature.Refusal)
        /// Nothing is known of the signature.
        case failed(SourceError)
    }

    let keys: KeyFiles
    let label: RepositoryLabel
    private let directory: String
    private let time: Duration
    private let searchPath: String
    private var hasKeyring = false

    /// - Parameters:
    ///   - keys: Whose signatures count.
    ///   - directory: A folder that does not exist yet; `remove` removes it.
    ///   - time: For one signature.
    ///   - searchPath: Where the programs are looked up; nothing for where this process looks.
    ///   - label: For errors.
    /// - Throws: When `directory` cannot be written.
    init(
        keys: KeyFiles,
        directory: String,
        time: Duration,
        searchPath: String?,
        label: RepositoryLabel
    ) throws(SourceError) {
        self.keys = keys
        self.searchPath =
            searchPath ?? ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        self.directory = directory
        self.time = time
        self.label = label
        do {
            // Most times there is nothing to remove; where that fails, so does what follows.
            try? FileManager.default.removeItem(atPath: directory)
            try FileManager.default.createDirectory(
                atPath: self.home,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
            for (file, name) in [(keys.allowedSigners, Name.allowed), (keys.revokedKeys, Name.revoked)] {
                if case .read(_, let bytes) = file { try self.write(bytes, to: name) }
            }
            if case .read(_, let bytes) = keys.gpgKeyring { try self.write(bytes, to: Name.keyring) }
        } catch {
            throw Self.unwritable(directory, error, label)
        }
    }

    private enum Name {
        static let allowed = "allowed_signers"
        static let revoked = "revoked_keys"
        static let keyring = "keyring"
        static let payload = "payload"
        static let signature = "signature"
    }

    private var home: String { self.directory + "/home" }

    private func path(_ name: String) -> String { self.directory + "/" + name }

    private func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(filePath: self.path(name)))
    }

    private static func unwritable(_ directory: String, _ error: any Error, _ label: RepositoryLabel) -> SourceError {
        label.error(
            .unreachable,
            "\(directory), where signatures are verified, cannot be written: \(error). Free some space there, or make "
                + "it writable",
            .retry
        )
    }

    /// Removes what it wrote.
    func remove() {
        // What stays is removed at the next start, or before the next verification.
        try? FileManager.default.removeItem(atPath: self.directory)
    }

    /// - Returns: Who signed; never nobody.
    /// - Throws: Why nothing shows it.
    mutating func signer(
        of commit: CommitSignature,
        until deadline: ContinuousClock.Instant
    ) async throws(Failure) -> Signer {
        do {
            try self.write(commit.payload, to: Name.payload)
            try self.write(commit.signature, to: Name.signature)
        } catch {
            throw .failed(Self.unwritable(self.directory, error, self.label))
        }
        let deadline = min(deadline, ContinuousClock.now + self.time)
        switch commit.format {
        case .ssh: return try await self.sshSigner(until: deadline)
        case .openPGP: return try await self.gpgSigner(until: deadline)
        }
    }

    // MARK: - SSH

    private func sshSigner(until deadline: ContinuousClock.Instant) async throws(Failure) -> Signer {
        guard case .read(let file, _) = self.keys.allowedSigners else {
            throw .refused(.init(reason: "is signed with an SSH key, and no allowedSignersFile is set"))
        }
        let (allowed, signature) = (self.path(Name.allowed), self.path(Name.signature))
        let found = try await self.run(
            "ssh-keygen",
            ["-Y", "find-principals", "-f", allowed, "-s", signature],
            until: deadline
        )
        guard found.succeeded else {
            throw .refused(
                .init(reason: "is signed with an SSH key that does not count by \(file) (\(self.said(found)))")
            )
        }
        var names: Set<String> = []
        var reasons: [String] = []
        // One key may have several names; each has to hold on its own.
        for principal in found.output.split(separator: "\n").prefix(16).map(String.init) where !principal.isEmpty {
            var arguments = ["-Y", "verify", "-n", "git", "-f", allowed, "-I", principal, "-s", signature]
            if case .read = self.keys.revokedKeys { arguments += ["-r", self.path(Name.revoked)] }
            let verified = try await self.run(
                "ssh-keygen",
                arguments,
                input: self.path(Name.payload),
                until: deadline
            )
            if verified.succeeded { names.insert(principal) } else { reasons.append(self.said(verified)) }
        }
        guard !names.isEmpty else {
            let reason = reasons.first ?? "no name in \(file)"
            throw .refused(.init(reason: "has an SSH signature that is not valid for it (\(reason))"))
        }
        return Signer(names: names)
    }

    // MARK: - GPG

    /// For everything that gpg does here. `always` trusts what the keyring holds, which the operator wrote.
    ///
    /// gpg fails when the path of its home is too long for a socket in it, even one that nobody makes.
    private static let gpgOptions = [
        "--batch", "--no-tty", "--no-options", "--homedir", "/proc/self/cwd", "--no-autostart", "--disable-dirmngr",
        "--no-auto-key-retrieve", "--no-auto-key-locate", "--trust-model", "always", "--status-fd", "1",
    ]

    private mutating func gpgSigner(until deadline: ContinuousClock.Instant) async throws(Failure) -> Signer {
        guard case .read(let file, _) = self.keys.gpgKeyring else {
            throw .refused(.init(reason: "is signed with an OpenPGP key, and no gpgKeyring is set"))
        }
        if !self.hasKeyring {
            let arguments = Self.gpgOptions + ["--import", self.path(Name.keyring)]
            let output = try await self.run("gpg", arguments, until: deadline)
            guard output.succeeded else {
                throw .refused(
                    .init(
                        reason: "cannot be verified: gpg does not take \(file), which should hold what gpg --export "
                            + "prints, public keys only (\(self.said(output)))"
                    )
                )
            }
            self.hasKeyring = true
        }
        let arguments = Self.gpgOptions + ["--verify", self.path(Name.signature), self.path(Name.payload)]
        let output = try await self.run("gpg", arguments, until: deadline)
        do throws(CommitSignature.Refusal) {
            let names = try GPGStatus(output.output).signer(in: file)
            guard output.succeeded else {
                throw CommitSignature.Refusal(reason: "has a signature that gpg refuses (\(self.said(output)))")
            }
            return Signer(names: names)
        } catch {
            throw .refused(error)
        }
    }

    // MARK: - Programs

    private func run(
        _ name: String,
        _ arguments: [String],
        input: String? = nil,
        until deadline: ContinuousClock.Instant
    ) async throws(Failure) -> BoundedProgram.Output {
        var program = BoundedProgram(name: name, environment: self.environment, fileBytes: 64 << 20)
        program.directory = self.home
        program.outputBytes = 64 << 10
        program.memoryBytes = 1 << 30
        switch await program.run(arguments, input: input, until: deadline) {
        case .finished(let output):
            return output
        case .stopped:
            throw .failed(self.error(.timedOut, "\(name) was stopped because the controller is ending", .retry))
        case .outOfTime:
            throw .failed(
                self.error(
                    .timedOut,
                    "\(name) had no answer before the deadline and was ended, so nothing shows who signed; the next "
                        + "poll tries again. Is the machine overloaded, or the repository's timeout too short?",
                    .retry
                )
            )
        case .missing(let program):
            let package = ["gpg": "gnupg", "prlimit": "util-linux", "ssh-keygen": "openssh-client"][program] ?? program
            throw .failed(
                self.error(
                    .notConfigured,
                    "the program \(program), which verifies signatures, is missing: apt install \(package)"
                )
            )
        case .tooMuchOutput:
            throw .failed(self.error(.tooLarge, "\(name) printed more than 64 KiB and was ended", .retry))
        case .failed(let reason):
            throw .failed(self.error(.unreachable, "\(name) could not be run: \(reason)", .retry))
        }
    }

    private func error(
        _ code: SourceError.Code,
        _ text: String,
        _ recovery: Recovery = .needsOperator
    ) -> SourceError {
        self.label.error(code, "no commit is taken: \(text)", recovery)
    }

    private var environment: [String: String] {
        ["PATH": self.searchPath, "HOME": self.home, "LC_ALL": "C", "TZ": "UTC"]
    }

    /// What a program printed, with the operator's own paths.
    private func said(_ output: BoundedProgram.Output) -> String {
        var text = output.errors
        for (file, name) in [
            (self.keys.allowedSigners, Name.allowed), (self.keys.revokedKeys, Name.revoked),
            (self.keys.gpgKeyring, Name.keyring),
        ] {
            if case .read(let path, _) = file { text = text.replacing(self.path(name), with: path) }
        }
        let lines = text.split(whereSeparator: \.isNewline).suffix(4)
        let line = PrintableText.line(lines.joined(separator: "; "), limit: 300)
        return line.isEmpty ? "it said nothing" : line
    }
}
