import Deployments

/// The files of golden predictions: one JSON object a line.
struct GoldenFiles: Sendable {
    private let files: [String: SourceFile]
    private let limits: ManifestLimits

    private static let fields = ["request", "expected", "tolerance"]
    private static let example = #"{"request": {…}, "expected": {…}, "tolerance": 0.01}"#

    init(_ files: [SourceFile], limits: ManifestLimits) {
        let named = files.filter { $0.path.hasSuffix(".jsonl") }.map { ($0.path, $0) }
        self.files = Dictionary(named) { first, _ in first }
        self.limits = limits
    }

    /// The predictions of the file that a manifest names; what is wrong goes to the manifest's log, with the place in
    /// the golden file.
    func predictions(for reference: Reference, noting log: DiagnosticLog) -> [GoldenPrediction] {
        guard let file = self.file(reference.name, from: log.path) else {
            let hint = NearestName.hint(for: reference.name, among: self.files.keys)
            log.error(
                at: reference.site,
                "there is no file \(reference.name.inBackticks) in this folder or one above: \(hint)"
            )
            return []
        }
        guard file.bytes.count <= self.limits.goldenBytes else {
            log.error(
                at: reference.site,
                "\(file.path) has \(file.bytes.count) bytes, at most \(self.limits.goldenBytes) are read"
            )
            return []
        }
        if let offset = UTF8Check.firstInvalidOffset(in: file.bytes[...]) {
            let position = TextPosition(of: offset, in: file.bytes)
            log.add(.error, path: file.path, at: position, field: "", "the file is not UTF-8 from here on")
            return []
        }
        let lines = file.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        var predictions: [GoldenPrediction] = []
        for (index, line) in lines.enumerated() where line.contains(where: { ![0x20, 0x09, 0x0D].contains($0) }) {
            guard predictions.count < self.limits.goldenPredictions else {
                log.error(
                    at: reference.site,
                    "\(file.path) has more than \(self.limits.goldenPredictions) predictions: keep the telling ones"
                )
                return []
            }
            let reading = GoldenLine(bytes: line, number: index + 1, path: file.path, log: log)
            predictions.append(reading.prediction() ?? GoldenPrediction(request: "", expected: ""))
        }
        if predictions.isEmpty {
            log.error(at: reference.site, "\(file.path) has no predictions: add lines such as \(Self.example)")
        }
        return predictions
    }

    /// Looks in the manifest's folder, and then in each folder above it, up to the watched one.
    private func file(_ name: String, from manifest: String) -> SourceFile? {
        var folder = manifest.split(separator: "/").dropLast().map(String.init)
        while true {
            if let path = Self.join(folder, name), let file = self.files[path] { return file }
            guard folder.popLast() != nil else { return nil }
        }
    }

    /// - Returns: Nothing when the path leads out of the repository.
    private static func join(_ folder: [String], _ name: String) -> String? {
        var parts = folder
        for part in name.split(separator: "/") where part != "." {
            if part == ".." {
                guard parts.popLast() != nil else { return nil }
            } else {
                parts.append(String(part))
            }
        }
        return parts.joined(separator: "/")
    }
}

/// One line of a file of golden predictions.
private struct GoldenLine {
    var bytes: ArraySlice<UInt8>
    var number: Int
    var path: String
    var log: DiagnosticLog

    private static let fields = ["request", "expected", "tolerance"]

    func prediction() -> GoldenPrediction? {
        let members: [JSONScanner.Member]
        do throws(JSONScanner.Problem) {
            members = try JSONScanner.members(of: self.bytes)
        } catch {
            self.error(at: error.offset, "not valid JSON: \(error.message); each line is one object of its own")
            return nil
        }
        var texts: [String: String] = [:]
        for member in members {
            if !Self.fields.contains(member.key) {
                let hint = NearestName.hint(for: member.key, among: Self.fields)
                self.error(at: member.offset, field: member.key, "unknown field \(member.key.inBackticks): \(hint)")
            } else if texts.updateValue(self.text(member.value), forKey: member.key) != nil {
                self.error(at: member.offset, field: member.key, "\(member.key.inBackticks) is given twice")
            }
        }
        for name in ["request", "expected"] where texts[name] == nil {
            self.error(at: self.bytes.startIndex, field: name, "`\(name)` is missing: add `\"\(name)\": {…}`")
        }
        let tolerance = texts["tolerance"].map { Double($0) ?? -1 }
        if let tolerance, !(tolerance >= 0 && tolerance.isFinite) {
            let offset = members.first { $0.key == "tolerance" }?.value.lowerBound ?? self.bytes.startIndex
            self.error(at: offset, field: "tolerance", "expected a number that is not negative, such as 0.01")
        }
        guard let request = texts["request"], let expected = texts["expected"] else { return nil }
        var prediction = GoldenPrediction(request: request, expected: expected)
        prediction.tolerance = tolerance ?? prediction.tolerance
        return prediction
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: self.bytes[range], as: UTF8.self)
    }

    private func error(at offset: Int, field: String = "", _ message: String) {
        let column = TextPosition(of: offset - self.bytes.startIndex, in: self.bytes).column
        let position = TextPosition(line: self.number, column: column)
        self.log.add(.error, path: self.path, at: position, field: field.printable(limit: 60), message)
    }
}
