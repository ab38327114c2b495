import Transport

extension HTTPRequest {
    /// Adds what a token file holds, if there is one.
    mutating func authorize(by tokenFile: String?) throws(PrometheusFailure) {
        guard let tokenFile else { return }
        do {
            self.headers["Authorization"] = "Bearer \(try TokenFile.read(tokenFile))"
        } catch {
            throw .unavailable(error.text)
        }
    }
}
