/// Writes metrics as Prometheus reads them (text format 0.0.4): each family once, its samples together.
struct MetricText {
    private(set) var text = ""

    enum Kind: String {
        case gauge, counter, histogram
    }

    /// Begins a family; its samples follow.
    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        self.text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ labels: KeyValuePairs<String, String>, _ value: Double) {
        self.text += name
        var separator = "{"
        for (key, value) in labels {
            self.text += separator + key + "=\""
            self.append(escaped: value)
            self.text += "\""
            separator = ","
        }
        self.text += labels.isEmpty ? " " : "} "
        // Whole numbers without a point, as everybody writes counts.
        if let whole = Int64(exactly: value) {
            self.text += "\(whole)\n"
        } else {
            self.text += "\(value)\n"
        }
    }

    mutating func sample(_ name: String, _ labels: KeyValuePairs<String, String>, _ value: Int) {
        self.sample(name, labels, Double(value))
    }

    mutating func sample(_ name: String, _ labels: KeyValuePairs<String, String>, _ value: Bool) {
        self.sample(name, labels, value ? 1 : 0)
    }

    mutating func sample(_ name: String, _ value: Double) { self.sample(name, [:], value) }

    /// A family of one sample without labels.
    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        self.family(name, .gauge, help)
        self.sample(name, value)
    }

    private mutating func append(escaped value: String) {
        let needsNone = value.utf8.allSatisfy { $0 != UInt8(ascii: "\\") && $0 != UInt8(ascii: "\"") && $0 != 10 }
        if needsNone { return self.text += value }
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": self.text += "\\\\"
            case "\"": self.text += "\\\""
            case "\n": self.text += "\\n"
            default: self.text.unicodeScalars.append(scalar)
            }
        }
    }
}
