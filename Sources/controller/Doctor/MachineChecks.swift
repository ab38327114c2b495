import ControllerCommands
import ControllerServer
import Deployments
import Foundation
import Glibc
import LocalPlatform

/// What the controller needs of the machine and of its user.
struct MachineChecks {
    let configuration: Configuration
    /// The configuration file, for the places in it.
    let path: String
    /// The folders where programs are looked up.
    let programs: String
    /// Whether a controller answers on the socket: it has the ports then.
    let isRunning: Bool

    func findings() -> [Finding] {
        self.files() + self.certificate() + self.directories() + self.limits() + self.ports()
    }

    private func files() -> [Finding] {
        var findings = self.configuration.missingPrograms(in: self.programs).map {
            Finding.error("programs", $0.replacing("error: ", with: "", maxReplacements: 1))
        }
        if findings.isEmpty { findings.append(.ok("programs", "all that the configuration needs are there")) }
        findings += self.configuration.unreadableKeyFiles(path: self.path).map { .error("key files", "\($0)") }
        let manager = FileManager.default
        for (receiver, path) in self.configuration.receiverFiles {
            findings.append(
                manager.isReadableFile(atPath: path)
                    ? .ok("receiver \(receiver)", "\(path) can be read")
                    : .error(
                        "receiver \(receiver)",
                        "\(path) cannot be read: make it exist, and readable for this user"
                    )
            )
        }
        for folder in self.configuration.artifacts.fileRoots where !manager.isReadableFile(atPath: folder) {
            findings.append(
                .error("artifacts", "`fileRoots` names \(folder), which this user cannot read: make it readable")
            )
        }
        for folder in self.configuration.runtimes {
            // What cannot be listed has none, and is told as that.
            let names = (try? manager.contentsOfDirectory(atPath: folder))?.filter { $0.hasSuffix(".yaml") } ?? []
            findings.append(
                names.isEmpty
                    ? .error("runtimes", "`runtimes` names \(folder), which holds none that this user can read")
                    : .ok("runtimes", "\(names.count) files in \(folder)")
            )
        }
        return findings
    }

    private func certificate() -> [Finding] {
        guard let api = self.configuration.api else { return [] }
        let subject = "API certificate"
        do throws(ControllerServerError) {
            let end = try ServerCertificate.end(of: api.certificateFile, key: api.keyFile)
            let days = Int((end.timeIntervalSinceNow / 86_400).rounded(.down))
            guard days >= 0 else {
                return [.error(subject, "\(api.certificateFile) ended \(-days) days ago: put a new one there")]
            }
            let text = "\(api.certificateFile) ends in \(days) days"
            return [days < 14 ? .warning(subject, "\(text): have it renewed") : .ok(subject, text)]
        } catch {
            return [.error(subject, error.message)]
        }
    }

    // MARK: - Folders

    private func directories() -> [Finding] {
        let socket = URL(filePath: self.configuration.socket).deletingLastPathComponent().path
        return [
            Self.directory("state", self.configuration.stateDirectory), Self.directory("socket", socket), self.room(),
        ].compactMap(\.self)
    }

    /// Whether this user can write there, or make it.
    private static func directory(_ subject: String, _ path: String) -> Finding {
        var place = path
        while access(place, F_OK) != 0, place != "/" {
            place = URL(filePath: place).deletingLastPathComponent().path
        }
        guard access(place, W_OK | X_OK) == 0 else {
            let what = place == path ? path : "\(path) is not there, and \(place)"
            return .error(
                subject,
                "\(what) cannot be written by this user: run this as the controller's, or give it that"
            )
        }
        return .ok(subject, place == path ? path : "\(path) will be made")
    }

    private func room() -> Finding? {
        var place = self.configuration.artifacts.directory
        while access(place, F_OK) != 0, place != "/" {
            place = URL(filePath: place).deletingLastPathComponent().path
        }
        var status = statvfs()
        guard statvfs(place, &status) == 0 else { return nil }
        let free = Int64(status.f_bavail) * Int64(status.f_frsize)
        let text = "\(Self.size(free)) free for models at \(place)"
        guard free < self.configuration.artifacts.maxSize else { return .ok("disk", text) }
        let wanted = Self.size(self.configuration.artifacts.maxSize)
        let advice = "`artifacts.maxSize` allows \(wanted): make room, or allow less"
        return free < 1 << 30 ? .error("disk", "\(text); \(advice)") : .warning("disk", "\(text); \(advice)")
    }

    private static func size(_ bytes: Int64) -> String {
        "\((Double(bytes) / 1_073_741_824).formatted(.number.precision(.fractionLength(1)))) GiB"
    }

    // MARK: - Limits

    private func limits() -> [Finding] {
        var findings: [Finding] = []
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            findings.append(
                limit.rlim_cur < 1024
                    ? .error(
                        "descriptors",
                        "this user may open \(limit.rlim_cur) files: set LimitNOFILE=65536 in its unit"
                    )
                    : .ok("descriptors", "\(limit.rlim_cur) files may be open")
            )
        }
        if let inotify = InotifyLimit.current() {
            let room = inotify.instances - InotifyLimit.reserve
            let advice = "sysctl fs.inotify.max_user_instances=1024"
            findings.append(
                room < 64
                    ? .warning("inotify", "Envoy can follow \(room) revisions at the same time: `\(advice)`")
                    : .ok("inotify", "Envoy can follow \(room) revisions at the same time")
            )
        }
        return findings
    }

    // MARK: - Ports

    private func ports() -> [Finding] {
        var findings: [Finding] = []
        let range = self.configuration.local.ports
        if let (first, last) = Self.outgoing, range.overlaps(first...last) {
            findings.append(
                .warning(
                    "ports",
                    "`local.ports` \(range.lowerBound)-\(range.upperBound) are among those that the kernel gives to "
                        + "outgoing connections (\(first)-\(last)): choose others"
                )
            )
        }
        if self.isRunning { return findings }
        let listeners = [
            ("local.listen", self.configuration.local.listen), ("webhooks.listen", self.configuration.webhooks?.listen),
            ("metrics.listen", self.configuration.metrics?.listen),
        ]
        for case (let setting, let address?) in listeners {
            // Only numbers can be tried without a resolver; names are left to the start.
            guard address.host.wholeMatch(of: /[0-9.]+/) != nil else { continue }
            let isFree = PortPool.isFree(address.port, host: address.host)
            findings.append(
                isFree
                    ? .ok("ports", "`\(setting)` \(address) is free")
                    : .warning(
                        "ports",
                        "`\(setting)` \(address) cannot be listened on now: if it is not this controller's Envoy, "
                            + "free it or choose another"
                    )
            )
        }
        return findings
    }

    /// The ports that the kernel takes for outgoing connections.
    private static var outgoing: (Int, Int)? {
        guard let bytes = FileManager.default.contents(atPath: "/proc/sys/net/ipv4/ip_local_port_range") else {
            return nil
        }
        let numbers = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap {
            Int($0)
        }
        return numbers.count == 2 && numbers[0] <= numbers[1] ? (numbers[0], numbers[1]) : nil
    }
}
