/// Where the secret is that a registry is asked with. Files are read anew for each request.
package enum RegistryCredentials: Hashable, Sendable {
    case none
    /// A bearer token in the first line of a file.
    case tokenFile(String)
    /// A bearer token in a variable of this process's environment.
    case tokenVariable(String)
    /// Basic authentication; the password is the first line of a file.
    case password(user: String, file: String)
}

/// What an operator says about the model registry. A proxy is what the environment says, as for all our requests.
package struct RegistryConfiguration: Hashable, Sendable {
    /// Of the server, without a slash at its end and without `/api/2.0`: `https://mlflow.example`.
    package var url: String
    package var credentials: RegistryCredentials
    /// A PEM file of the authorities to trust, instead of the system's.
    package var caFile: String?
    /// For one request, but for downloads.
    package var timeout: Duration

    package init(
        url: String,
        credentials: RegistryCredentials = .none,
        caFile: String? = nil,
        timeout: Duration = .seconds(30)
    ) {
        self.url = String(url.reversed().drop { $0 == "/" }.reversed())
        self.credentials = credentials
        self.caFile = caFile
        self.timeout = timeout
    }
}
