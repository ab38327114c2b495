import Deployments

/// A runtime, with what is asked of it for each of the deployments that it serves.
struct PreparedRuntime: Sendable {
    let runtime: ServingRuntime
    /// The parameters that a deployment must give.
    let parameterNames: Set<String>
    let canonicalForm: [UInt8]

    init(_ runtime: ServingRuntime) {
        self.runtime = runtime
        self.parameterNames = runtime.parameterNames
        self.canonicalForm = runtime.canonicalForm.bytes
    }
}

/// Which runtimes serve a format when a deployment names none: those that claim it with the highest priority, and of
/// these the commit's own before those that are shipped.
struct FormatClaims: Sendable {
    struct Claim: Sendable {
        var priority: Int
        var isShipped: Bool
        /// More than one leave open which is meant.
        var runtimes: [PreparedRuntime]
    }

    private var claims: [String: Claim] = [:]

    init(own: Declarations<PreparedRuntime>, shipped: Declarations<PreparedRuntime>) {
        for runtime in own.values.values { self.add(runtime, isShipped: false) }
        for (name, runtime) in shipped.values where own.values[name] == nil { self.add(runtime, isShipped: true) }
    }

    private mutating func add(_ runtime: PreparedRuntime, isShipped: Bool) {
        for format in runtime.runtime.formats {
            let claim = Claim(priority: format.priority, isShipped: isShipped, runtimes: [runtime])
            guard let best = self.claims[format.name], best.priority >= format.priority else {
                self.claims[format.name] = claim
                continue
            }
            if best.priority == format.priority, best.isShipped == isShipped {
                self.claims[format.name]?.runtimes.append(runtime)
            }
        }
    }

    subscript(format: String) -> Claim? { self.claims[format] }

    var formats: [String] { Array(self.claims.keys) }
}
