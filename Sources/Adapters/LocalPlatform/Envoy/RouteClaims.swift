import Deployments

/// Which deployment gets the requests of a host and a path, when several ask for the same.
///
/// Who has it keeps it; among newcomers the first by name wins. So a new manifest can't take a live route away.
struct RouteClaims: Hashable, Codable, Sendable {
    struct Place: Hashable, Comparable, Codable, Sendable {
        /// Lower case; `*` is every host.
        var host: String
        /// Without a slash at its end, but for `/`.
        var prefix: String

        static func < (left: Place, right: Place) -> Bool {
            (left.host, left.prefix) < (right.host, right.prefix)
        }
    }

    private(set) var places: [DeploymentID: [Place]] = [:]
    /// For people, by the deployment that was refused.
    private(set) var refusals: [DeploymentID: String] = [:]

    /// Those of `previous` come first.
    init(_ routes: [DeploymentID: Route] = [:], previous: RouteClaims? = nil) {
        var owners: [Place: DeploymentID] = [:]
        let order = routes.keys.sorted()
        for holds in [true, false] {
            for deployment in order {
                guard let route = routes[deployment] else { continue }
                let held = previous?.places[deployment] ?? []
                for place in Self.places(of: route) where held.contains(place) == holds {
                    if let owner = owners[place] {
                        guard owner != deployment else { continue }
                        self.refusals[deployment] =
                            "\(place.host) \(place.prefix) belongs to \(owner): give one of them another host or prefix"
                    } else {
                        owners[place] = deployment
                    }
                }
            }
        }
        for (place, owner) in owners { self.places[owner, default: []].append(place) }
        for deployment in self.places.keys { self.places[deployment]?.sort() }
    }

    static func places(of route: Route) -> [Place] {
        var prefix = route.pathPrefix
        while prefix.count > 1, prefix.hasSuffix("/") { prefix.removeLast() }
        let hosts = route.hosts.isEmpty ? ["*"] : route.hosts.map { $0.lowercased() }
        return hosts.map { Place(host: $0, prefix: prefix) }
    }

    /// What Envoy would refuse in a route; one such route would make it refuse those of all deployments.
    static func problem(in route: Route) -> String? {
        for host in route.hosts where !Self.isHost(host.lowercased()) {
            return "`\(host.prefix(100))` is not a host name: letters, digits, hyphens and dots, `*.` at most in front"
        }
        let prefix = route.pathPrefix
        guard prefix.hasPrefix("/"), !prefix.contains("//"), prefix.utf8.count <= 1024,
            prefix.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"?#\\\"<>".utf8.contains($0) })
        else {
            return "`\(prefix.prefix(100))` is not a path prefix: a slash, then visible ASCII without ? and #"
        }
        if let header = route.affinityHeader, !Self.isToken(header) {
            return "`\(header.prefix(100))` is not the name of a header field"
        }
        guard route.timeout > .zero, route.timeout <= .hours(24) else {
            return "a timeout of \(route.timeout.short) is not between 1ms and 24h"
        }
        return nil
    }

    private static func isHost(_ host: String) -> Bool {
        guard host != "*" else { return true }
        let name = host.hasPrefix("*.") ? host.dropFirst(2) : Substring(host)
        guard !name.isEmpty, name.utf8.count <= 253 else { return false }
        return name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-._".utf8.contains(byte)
        }
    }

    private static func isToken(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy { byte in
            let letter = byte | 0x20
            return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(letter) && byte < 0x7f
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
