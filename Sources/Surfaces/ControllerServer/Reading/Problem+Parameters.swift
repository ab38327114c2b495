import ControllerAPI
import Deployments

extension Problem {
    /// Says what a parameter must be.
    static func badParameter(_ name: String, _ form: String) -> Problem {
        Problem(status: 400, title: "Bad \(name)", detail: "\(name) must be \(form)")
    }
}

extension DeploymentID {
    /// What a name in a query may be: no other is a deployment's.
    static let pattern = "^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$"

    /// - Returns: Nothing when it is not a namespace and a name.
    init?(parameter text: String) {
        // By scalars: a slash and an accent behind it are one character.
        let parts = text.unicodeScalars.split(separator: "/", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            !part.isEmpty
                && part.allSatisfy { scalar in
                    scalar.isASCII
                        && (scalar.properties.isAlphabetic || "0123456789._-".unicodeScalars.contains(scalar))
                }
        }
        guard parts.count == 2, isName else { return nil }
        self.init(namespace: String(parts[0]), name: String(parts[1]))
    }
}
