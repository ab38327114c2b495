import Foundation
import Manifests

extension Configuration {
    /// The programs that a controller with this configuration runs, and that this user cannot.
    ///
    /// - Parameter path: The folders that are looked through, separated by colons, as in `PATH`.
    /// - Returns: A line for each, with what to do; nothing when all are there.
    package func missingPrograms(in path: String) -> [String] {
        self.programs.filter { !Self.isThere($0.name, in: path) }.map { program in
            let place = program.name.hasPrefix("/") ? "" : " in PATH (\(path))"
            return "error: no program \(program.name.inBackticks)\(place): \(program.remedy)"
        }
    }

    private var programs: [(name: String, remedy: String)] {
        let signatures = self.repositories.compactMap(\.signatures)
        let isSigned = { (file: KeyPath<Signatures, Signatures.KeyFile?>) in
            signatures.contains { $0[keyPath: file] != nil }
        }
        let usesSSH = self.repositories.contains { $0.url.hasPrefix("ssh://") }
        return [
            ("git", "apt install git", true),
            ("prlimit", "apt install util-linux", true),
            ("ssh", "apt install openssh-client", usesSSH),
            ("ssh-keygen", "apt install openssh-client", isSigned(\.allowedSigners)),
            ("gpg", "apt install gnupg", isSigned(\.gpgKeyring)),
            (self.local.envoy, "install Envoy, or name its program in `local.envoy`", true),
        ]
        .filter(\.2).map { ($0.0, $0.1) }
    }

    private static func isThere(_ name: String, in path: String) -> Bool {
        let places = name.hasPrefix("/") ? [name] : path.split(separator: ":").map { "\($0)/\(name)" }
        return places.contains { place in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: place, isDirectory: &isFolder) && !isFolder.boolValue
                && FileManager.default.isExecutableFile(atPath: place)
        }
    }
}
