/// What a platform has for replicas, and what those of other deployments hold of it.
package struct Capacity: Hashable, Codable, Sendable {
    /// Nothing where it is not known: then nothing is checked.
    package var milliCPU: Int?
    package var memory: Int64?
    package var gpu: Int?
    /// Of the replicas that other deployments run or are about to.
    package var used: Resources

    package init(milliCPU: Int? = nil, memory: Int64? = nil, gpu: Int? = nil, used: Resources = Resources()) {
        self.milliCPU = milliCPU
        self.memory = memory
        self.gpu = gpu
        self.used = used
    }

    /// Why `need` does not fit beside `own`, which the same deployment holds: `it needs 2 GPUs beside the running ones,
    /// and 1 of 4 is free: …`.
    ///
    /// - Parameters:
    ///   - need: What is to be added.
    ///   - own: What the deployment holds.
    ///   - surge: The percentage of its replicas that the deployment may add, when it may add any.
    /// - Returns: Nothing when it fits, or asks for nothing whose total is known.
    package func shortage(of need: Resources, beside own: Resources, surge: Int = 100) -> String? {
        self.dimensions(of: need, beside: own).compactMap { $0.shortage(surge: surge) }.first
    }

    /// The same without its advice, for what runs already and is to have more replicas.
    package func lack(of need: Resources, beside own: Resources) -> String? {
        self.dimensions(of: need, beside: own).compactMap(\.lack).first
    }

    private func dimensions(of need: Resources, beside own: Resources) -> [Dimension] {
        [
            Dimension(.gpus, need: Int64(need.gpu), own: Int64(own.gpu), used: Int64(self.used.gpu), total: self.gpu),
            Dimension(.bytes, need: need.memory, own: own.memory, used: self.used.memory, total: self.memory),
            Dimension(
                .milliCores,
                need: Int64(need.milliCPU),
                own: Int64(own.milliCPU),
                used: Int64(self.used.milliCPU),
                total: self.milliCPU
            ),
        ].compactMap(\.self)
    }
}

/// One kind of resource in a comparison.
private struct Dimension {
    enum Unit { case gpus, bytes, milliCores }

    let unit: Unit
    let need: Int64
    let own: Int64
    let used: Int64
    let total: Int64

    init?(_ unit: Unit, need: Int64, own: Int64, used: Int64, total: (some BinaryInteger)?) {
        guard let total, need > 0 else { return nil }
        self.unit = unit
        self.need = need
        self.own = own
        self.used = used
        self.total = Int64(total)
    }

    var lack: String? {
        let free = max(0, self.total - self.used - self.own)
        guard self.need > free else { return nil }
        let beside = self.own > 0 ? " beside the running ones" : ""
        return "it needs \(self.text(self.need))\(beside), and \(self.text(free)) of \(self.amount(self.total)) is free"
    }

    func shortage(surge: Int) -> String? {
        guard let state = self.lack else { return nil }
        if self.need > self.total { return "\(state): it can never run here" }
        if self.need + self.own > self.total {
            let lower = surge > 1 ? "a `surge` below \(surge)%, " : ""
            return "\(state): use \(lower)`strategy: recreate` or fewer replicas"
        }
        return "\(state): it starts when other deployments leave room"
    }

    private func text(_ value: Int64) -> String {
        switch self.unit {
        case .gpus: value == 1 ? "1 GPU" : "\(value) GPUs"
        case .bytes: "\(self.amount(value)) of memory"
        case .milliCores: value == 1000 ? "1 core" : "\(self.amount(value)) cores"
        }
    }

    private func amount(_ value: Int64) -> String {
        switch self.unit {
        case .gpus: "\(value)"
        case .bytes:
            value % (1 << 30) == 0 ? "\(value >> 30)Gi" : value % (1 << 20) == 0 ? "\(value >> 20)Mi" : "\(value)"
        case .milliCores: value % 1000 == 0 ? "\(value / 1000)" : "\(value)m"
        }
    }
}

extension Resources {
    package var isEmpty: Bool { self == Resources() }

    package static func * (resources: Resources, count: Int) -> Resources {
        Resources(
            milliCPU: resources.milliCPU * count,
            memory: resources.memory * Int64(count),
            gpu: resources.gpu * count
        )
    }

    package static func - (left: Resources, right: Resources) -> Resources {
        Resources(
            milliCPU: left.milliCPU - right.milliCPU,
            memory: left.memory - right.memory,
            gpu: left.gpu - right.gpu
        )
    }

    /// Of each kind the larger amount.
    package func maximum(_ other: Resources) -> Resources {
        Resources(
            milliCPU: max(self.milliCPU, other.milliCPU),
            memory: max(self.memory, other.memory),
            gpu: max(self.gpu, other.gpu)
        )
    }

    package static func += (left: inout Resources, right: Resources) {
        left.milliCPU += right.milliCPU
        left.memory += right.memory
        left.gpu += right.gpu
    }
}
