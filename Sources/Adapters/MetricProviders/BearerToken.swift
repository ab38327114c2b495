import FoundationEssentials

/// A token in a file, read for every question, so that it may be rotated.
enum BearerToken {
    /// - Returns: Nothing without a file.
    static func read(_ tokenFile: String?) throws(PrometheusFailure) -> String? {
        guard let tokenFile else { return nil }
        do {
            let data = try Data(contentsOf: URL(filePath: tokenFile))
            let token = String(decoding: data.prefix(16 << 10), as: UTF8.self).filter { !$0.isWhitespace }
            guard !token.isEmpty else { throw PrometheusFailure.unavailable("the token file \(tokenFile) is empty") }
            return token
        } catch let failure as PrometheusFailure {
            throw failure
        } catch {
            throw .unavailable("the token file \(tokenFile) cannot be read; check its path and owner")
        }
    }
}
