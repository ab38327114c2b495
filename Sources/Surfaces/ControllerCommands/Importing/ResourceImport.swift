import Manifests

/// What one replica may use.
enum ResourceImport {
    /// Limits go before requests, as ours are the most that a replica may use.
    static func read(_ resources: ImportField?) -> [(String, String)] {
        guard let resources else { return [] }
        var result: [(String, String)] = []
        let limits = resources["limits"]?.members ?? []
        let requests = resources["requests"]?.members ?? []
        for (key, field) in limits + requests {
            guard let name = Self.names[key], let text = field.node.scalarText, Self.isReadable(name, text) else {
                field.lost("`resources` has `cpu`, `memory` and `gpu`")
                continue
            }
            guard let taken = result.first(where: { $0.0 == name }) else {
                field.carried()
                result.append((name, text))
                continue
            }
            if taken.1 == text {
                field.carried()
            } else {
                field.chosen("the limit counts: what is requested is not told apart from what is allowed")
            }
        }
        for part in [resources["limits"], resources["requests"]] where part?.members.isEmpty == true { part?.carried() }
        if resources.members.isEmpty { resources.carried() }
        resources["claims"]?.lost("`resources` has `cpu`, `memory` and `gpu`")
        return ["cpu", "memory", "gpu"].compactMap { name in result.first { $0.0 == name } }
    }

    private static let names = ["cpu": "cpu", "memory": "memory", "nvidia.com/gpu": "gpu", "amd.com/gpu": "gpu"]

    private static func isReadable(_ name: String, _ text: String) -> Bool {
        switch name {
        case "cpu": Quantity.milli(text).map { $0 <= 1_000_000 } ?? false
        case "memory": Quantity.bytes(text).map { $0 <= 1 << 50 } ?? false
        default: Int(text).map { (0...1024).contains($0) } ?? false
        }
    }
}
