import Crypto
import Deployments
import Reconciliation
import Transport

/// Where an artifact comes from, read from a model's URI.
struct ArtifactLocation: Hashable, Sendable {
    enum Origin: Hashable, Sendable {
        /// An absolute path.
        case file(String)
        case web(String)
        /// In a model registry.
        case registered(ModelReference)
    }

    enum Packaging: Hashable, Sendable {
        /// A file as it is, or a directory.
        case plain
        case tar
        case tarGzip
        case zip
    }

    var origin: Origin
    var packaging: Packaging
    /// The last part of the path, safe as a file's name.
    var name: String
    /// For people: without user, password, query and fragment.
    var redacted: String

    init(_ uri: String) throws(ArtifactError) {
        let colon = uri.firstIndex(of: ":") ?? uri.startIndex
        switch uri[..<colon].lowercased() {
        case "file":
            let path = try Self.path(ofFileURI: uri)
            self.origin = .file(path)
            self.redacted = "file://\(path)"
            self.name = Self.safeName(path)
        case "http", "https":
            let address: WebAddress
            do throws(TransportError) {
                address = try WebAddress(uri)
            } catch {
                throw ArtifactError(error)
            }
            self.origin = .web(uri)
            self.redacted = address.redacted
            self.name = Self.safeName(Self.decoded(address.path) ?? address.path)
        case "models":
            guard let reference = ModelReference(uri) else {
                throw ArtifactError(
                    code: .badLocation,
                    message: "the model's uri \(uri.prefix(200)) names no registered model; write models:/NAME/VERSION "
                        + "or models:/NAME@ALIAS",
                    recovery: .needsOperator
                )
            }
            self.origin = .registered(reference)
            self.redacted = reference.description
            self.name = StoredObject.folderName
        case let scheme:
            throw ArtifactError(
                code: .badLocation,
                message:
                    "the model's uri has the scheme \"\(scheme.prefix(20))\"; file, http, https and models are known",
                recovery: .needsOperator
            )
        }
        let lower = self.name.lowercased()
        self.packaging =
            if lower.hasSuffix(".tar.gz") || lower.hasSuffix(".tgz") {
                .tarGzip
            } else if lower.hasSuffix(".tar") {
                .tar
            } else if lower.hasSuffix(".zip") {
                .zip
            } else { .plain }
    }

    /// That may mean another version by and by.
    var alias: String? {
        if case .registered(let reference) = self.origin { reference.alias } else { nil }
    }

    /// A name of the URI for folders and records, from which no secret in it can be read.
    static func key(of uri: String) -> String {
        SHA256.hash(data: Array(uri.utf8)).hexadecimal
    }

    private static func path(ofFileURI uri: String) throws(ArtifactError) -> String {
        var rest = uri.dropFirst("file:".count)
        if rest.hasPrefix("//localhost/") {
            rest = rest.dropFirst("//localhost".count)
        } else if rest.hasPrefix("///") {
            rest = rest.dropFirst(2)
        }
        guard
            rest.hasPrefix("/"), !rest.hasPrefix("//"),
            let path = Self.decoded(String(rest)), !path.utf8.contains(0)
        else {
            throw ArtifactError(
                code: .badLocation,
                message: "the model's uri \(uri.prefix(200)) is not a file URI; write file:///absolute/path",
                recovery: .needsOperator
            )
        }
        return path
    }

    /// With `%20` and the like replaced; nothing when that is not possible.
    private static func decoded(_ text: String) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, let value = UInt8(digits, radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func safeName(_ path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? ""
        let isSafe =
            !last.isEmpty && last.utf8.count <= 200 && !last.hasPrefix(".")
            && last.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }
        return isSafe && last != StoredObject.recordName ? last : "model"
    }
}

extension Digest {
    var hexadecimal: String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in self {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
