import Deployments
import Manifests

extension Configuration {
    /// The registry that `models:` URIs of manifests are looked up in.
    package struct ModelRegistry: Hashable, Sendable {
        package enum Credentials: Hashable, Sendable {
            case none
            /// A bearer token in the first line of a file.
            case tokenFile(String)
            /// In a variable of the daemon's environment.
            case tokenVariable(String)
            /// For basic authentication.
            case password(user: String, file: String)
        }

        /// `http` or `https`, without a slash at its end.
        package var url: String
        package var credentials: Credentials
        /// A PEM file with the authorities of an `https` server; nothing for the system's.
        package var caFile: String?
        /// For one request, but for downloads.
        package var timeout: Duration

        init?(decoding field: Field) {
            guard let members = field.members(of: .modelRegistry) else { return nil }
            let url = members["url"]?.webURL()
            let credentials = Credentials(decoding: members)
            self.caFile = members["caFile"]?.absolutePath()
            self.timeout = members["timeout"]?.duration(in: .seconds(1) ... .minutes(5)) ?? .seconds(30)
            if let url, !url.hasPrefix("https://") {
                members["caFile"]?.error("`caFile` is only for https URLs: remove it, or use another `url`")
                let host = url.dropFirst("http://".count).prefix { $0 != "/" && $0 != ":" }
                let isHere =
                    host == "localhost" || host.hasPrefix("127.") && host.allSatisfy { $0 == "." || $0.isWholeNumber }
                if !isHere, let credentials, credentials != .none {
                    members["url"]?.warning("credentials travel readable for everyone on the way: use an https URL")
                }
            }
            guard let url, let credentials else { return nil }
            self.url = url
            self.credentials = credentials
        }
    }
}

extension Configuration.ModelRegistry.Credentials {
    fileprivate init?(decoding members: Members) {
        let file = members["tokenFile"]?.absolutePath()
        let form = "the name of a variable, such as MLFLOW_TRACKING_TOKEN"
        let variable = members["tokenVariable"]?.string(form: form, where: NameForm.isEnvironmentVariable)
        // A colon would end it.
        let user = members["user"]?.string(limit: 256, form: "a user's name, without a colon") {
            !$0.isEmpty && !$0.contains(":") && $0.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        }
        let password = members["passwordFile"]?.absolutePath()
        let names = ["tokenFile", "tokenVariable", "passwordFile"]
        guard names.contains(where: { members[$0] != nil }) || members["user"] != nil else {
            self = .none
            return
        }
        switch members.exactlyOne(of: names) {
        case "tokenFile":
            members["user"]?.error("`user` belongs to `passwordFile`: remove it")
            guard let file else { return nil }
            self = .tokenFile(file)
        case "tokenVariable":
            members["user"]?.error("`user` belongs to `passwordFile`: remove it")
            guard let variable else { return nil }
            self = .tokenVariable(variable)
        case "passwordFile":
            if members["user"] == nil { members["passwordFile"]?.error("`user` is missing: add whose password it is") }
            guard let user, let password else { return nil }
            self = .password(user: user, file: password)
        default: return nil
        }
    }
}
