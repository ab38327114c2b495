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

    /// A text as one segment of a URL's path.
    static func pathSegment(_ text: String) -> String {
        let plain = CharacterSet(charactersIn: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
        // Every Swift string has a UTF-8 form, so this never is nil.
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
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
