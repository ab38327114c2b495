package import ControllerAPI
import Deployments
import Foundation
import Manifests

extension Configuration {
    /// Where the API is served over TLS, to whom.
    package struct API: Hashable, Sendable {
        package var listen: SocketAddress
        /// PEM: the certificate, and what leads from it to an authority.
        package var certificateFile: String
        /// PEM.
        package var keyFile: String
        /// Nothing where only this controller's own tokens count.
        package var oidc: OIDC?
        /// What people of the identity provider may do.
        package var access: [Access]

        init?(decoding field: Field) {
            guard let members = field.members(of: .api) else { return nil }
            let listen = members["listen"]?.socketAddress()
            let certificate = members["certificateFile"]?.absolutePath()
            let key = members["keyFile"]?.absolutePath()
            self.oidc = members["oidc"].flatMap { OIDC(decoding: $0) }
            self.access = members["access"]?.list(limit: 1000)?.compactMap { Access(decoding: $0) } ?? []
            if self.access.isEmpty, members["oidc"] != nil {
                members["oidc"]?.warning("nobody of it may do anything: say who may what in `api.access`")
            }
            if let access = members["access"], members["oidc"] == nil {
                access.error("`access` is about people of an identity provider: add `oidc`, or make tokens instead")
            }
            guard let listen, let certificate, let key else { return nil }
            self.listen = listen
            self.certificateFile = certificate
            self.keyFile = key
        }
    }

    /// An OpenID Connect provider that vouches for people.
    package struct OIDC: Hashable, Sendable {
        /// As its tokens have it.
        package var issuer: String
        package var audience: String
        package var nameClaim: String
        package var groupsClaim: String
        package var caFile: String?

        init?(decoding field: Field) {
            guard let members = field.members(of: .oidc) else { return nil }
            let form = "the name of a claim, such as email"
            let isClaim = { (text: String) in !text.isEmpty && text.unicodeScalars.allSatisfy { $0.value > 0x20 } }
            let issuer = members["issuer"]?.string(limit: 2048, form: "an https URL, as the provider calls itself") {
                URL(string: $0).map { $0.scheme == "https" && $0.host() != nil && $0.query == nil } ?? false
            }
            let audience = members["audience"]?.string(
                limit: 256,
                form: "what tokens are meant for, such as controller"
            ) {
                !$0.isEmpty
            }
            self.nameClaim = members["nameClaim"]?.string(limit: 256, form: form, where: isClaim) ?? "sub"
            self.groupsClaim = members["groupsClaim"]?.string(limit: 256, form: form, where: isClaim) ?? "groups"
            self.caFile = members["caFile"]?.absolutePath()
            guard let issuer, let audience else { return nil }
            self.issuer = issuer
            self.audience = audience
        }
    }

    /// What some people may do.
    package struct Access: Hashable, Sendable {
        package var users: [String]
        package var groups: [String]
        package var grant: Grant

        init?(decoding field: Field) {
            guard let members = field.members(of: .apiAccess) else { return nil }
            let name = "a name, as the identity provider has it"
            let names = { (field: Field) in field.string(limit: 256, form: name) { !$0.isEmpty } }
            self.users = members["users"]?.list(limit: 1000)?.compactMap(names) ?? []
            self.groups = members["groups"]?.list(limit: 1000)?.compactMap(names) ?? []
            let namespaces = members["namespaces"]?.list(limit: 1000)?.compactMap {
                $0.string(form: "a namespace, such as search", where: NameForm.isLabel)
            }
            self.grant = Grant(
                role: members["role"]?.choice(of: Role.self),
                verbs: members["verbs"]?.list(limit: 100)?.compactMap { $0.choice(of: AccessVerb.self) } ?? [],
                namespaces: namespaces
            )
            if members["users"] == nil, members["groups"] == nil {
                field.error("this is about nobody: add `users` or `groups`")
            }
            if members["role"] == nil, members["verbs"] == nil {
                field.error("this allows nothing: add a `role` or `verbs`")
            }
            if let namespaces, namespaces.isEmpty {
                members["namespaces"]?.error("this is nowhere: name a namespace, or remove the list for all")
                return nil
            }
        }
    }
}

extension ConfigurationDecoder {
    /// Nothing else may listen there.
    func checkAPI(_ configuration: Configuration, _ field: Field?) {
        guard let field, let listen = configuration.api?.listen else { return }
        if configuration.local.ports.contains(listen.port) || listen == configuration.local.listen {
            field.error("the router or its replicas use port \(listen.port): choose another one for the API")
        } else if listen == configuration.webhooks?.listen || listen == configuration.metrics?.listen {
            field.error("webhooks or metrics use \(listen): choose another port for the API")
        }
    }
}

extension Shape {
    static let api = Shape(
        "api",
        [
            .required("listen", "0.0.0.0:8443"),
            .required("certificateFile", "/etc/controller/tls.pem"),
            .required("keyFile", "/etc/controller/tls-key.pem"),
            .optional("oidc", "{issuer: \"https://login.example\", audience: controller}"),
            .optional("access", "[{groups: [ml-search], role: operator, namespaces: [search]}]"),
        ]
    )
    static let oidc = Shape(
        "oidc",
        [
            .required("issuer", "https://login.example"), .required("audience", "controller"),
            .optional("nameClaim", "email"), .optional("groupsClaim", "groups"),
            .optional("caFile", "/etc/ssl/certs/internal.pem"),
        ]
    )
    static let apiAccess = Shape(
        "apiAccess",
        [
            .optional("users", "[alice@example.com]"), .optional("groups", "[ml-search]"),
            .optional("role", "operator"), .optional("verbs", "[pause, rollback]"),
            .optional("namespaces", "[search]"),
        ]
    )
}
