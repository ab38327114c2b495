package import Foundation
import NIOSSL

/// What shows browsers and commands that they talk to this controller.
package enum ServerCertificate {
    /// - Parameters:
    ///   - certificate: The path of a PEM file: the certificate, and what leads from it to an authority.
    ///   - key: The path of a PEM file.
    /// - Returns: For a server with TLS 1.2 and newer.
    /// - Throws: A `ControllerServerError` when the files cannot be read or do not belong together.
    static func configuration(_ certificate: String, key: String) throws(ControllerServerError) -> TLSConfiguration {
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate)
            guard !chain.isEmpty else { throw NIOSSLError.failedToLoadCertificate }
            var tls = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            )
            tls.minimumTLSVersion = .tlsv12
            tls.applicationProtocols = ["http/1.1"]
            _ = try NIOSSLContext(configuration: tls)
            return tls
        } catch {
            throw ControllerServerError(
                code: .cannotListen,
                message:
                    "the API cannot be served over TLS: \(certificate) must hold a certificate in PEM, and \(key) its "
                    + "key, both readable for this user (\(error))"
            )
        }
    }

    /// Reads both as the server does.
    ///
    /// - Returns: When the first of the chain ends.
    /// - Throws: A `ControllerServerError` as ``configuration(_:key:)`` does.
    package static func end(of certificate: String, key: String) throws(ControllerServerError) -> Date {
        let configuration = try Self.configuration(certificate, key: key)
        var ends: [Date] = []
        for case .certificate(let certificate) in configuration.certificateChain {
            ends.append(Date(timeIntervalSince1970: Double(certificate.notValidAfter)))
        }
        return ends.min() ?? .distantPast
    }
}
