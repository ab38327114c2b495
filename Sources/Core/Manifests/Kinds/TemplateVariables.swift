/// The `${…}` in a text.
enum TemplateVariables {
    enum Part: Hashable {
        case variable(String)
        /// A `${` that nothing closes.
        case unclosed
    }

    static func parts(of text: String) -> [Part] {
        var parts: [Part] = []
        var rest = Substring(text)
        while let start = rest.firstRange(of: "${") {
            rest = rest[start.upperBound...]
            guard let end = rest.firstIndex(of: "}") else { return parts + [.unclosed] }
            parts.append(.variable(String(rest[..<end])))
            rest = rest[rest.index(after: end)...]
        }
        return parts
    }

    static func names(in text: String) -> [String] {
        self.parts(of: text).compactMap { part in
            if case .variable(let name) = part { name } else { nil }
        }
    }
}

extension Field {
    /// Logs variables that nothing would be substituted for. Names that authors make up have a prefix, such as
    /// `parameters.`.
    func checkVariables(in text: String, known: [String], prefix: String? = nil) {
        for part in TemplateVariables.parts(of: text) {
            switch part {
            case .unclosed: self.error("`${` has no closing `}`")
            case .variable(let name):
                if known.contains(name) { continue }
                if let prefix, name.hasPrefix(prefix), name.count > prefix.count { continue }
                let all = known + (prefix.map { [$0 + "NAME"] } ?? [])
                self.error("unknown variable \("${\(name)}".inBackticks): \(NearestName.hint(for: name, among: all))")
            }
        }
    }
}
