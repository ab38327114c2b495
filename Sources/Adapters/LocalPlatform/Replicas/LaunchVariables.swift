import Deployments
import Foundation
import Reconciliation

/// The values of `${…}` in a runtime's command, environment and paths.
struct LaunchVariables: Sendable {
    let values: [String: String]

    init(launch: ReplicaLaunch, endpoint: Endpoint) {
        var values = [
            "model.path": launch.artifact,
            "model.name": launch.model.name,
            "model.version": launch.model.version,
            "host": endpoint.host,
            "port": String(endpoint.port),
        ]
        for (name, value) in launch.parameters { values["parameters.\(name)"] = value }
        self.values = values
    }

    /// Replaces each variable by its value, which is not looked at again.
    ///
    /// - Throws: `unknownVariable`, naming `place`.
    func substitute(_ text: String, in place: String) throws(PlatformError) -> String {
        try self.substitute(text, in: place) { $0 }
    }

    /// As ``substitute(_:in:)``, with values made safe for one segment of a URL's path.
    func substitutePath(_ text: String, in place: String) throws(PlatformError) -> String {
        try self.substitute(text, in: place, Self.pathSegment)
    }

    /// A text as one segment of a URL's path. Written out, because a set of characters is costly to make, and names of
    /// files are needed at every probe.
    static func pathSegment(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func substitute(
        _ text: String,
        in place: String,
        _ encode: (String) -> String
    ) throws(PlatformError) -> String {
        var result = ""
        var rest = text[...]
        while let start = rest.range(of: "${") {
            result += rest[..<start.lowerBound]
            guard let end = rest[start.upperBound...].firstIndex(of: "}") else {
                throw Self.unknown("`\(text)` in \(place) of the runtime has a `${` without its `}`: close it")
            }
            let name = String(rest[start.upperBound..<end])
            guard let value = self.values[name] else {
                let known = self.values.keys.sorted().joined(separator: ", ")
                throw Self.unknown(
                    "the variable ${\(name)} in \(place) of the runtime is not known: there are \(known)"
                )
            }
            result += encode(value)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func unknown(_ message: String) -> PlatformError {
        PlatformError(code: .unknownVariable, message: message, recovery: .needsOperator)
    }
}
