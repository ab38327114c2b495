package import ControllerAPI

extension AutoscalingStatus {
    /// `3 replicas of 2 to 8: 11.2 requests in flight need 3, at 4 per replica`
    package var words: String {
        let count = self.replicas == 1 ? "1 replica" : "\(self.replicas) replicas"
        let need: String
        if let requests = self.requestsInFlight, let needed = self.neededReplicas {
            let verb = requests == 1 ? "request in flight needs" : "requests in flight need"
            let target = "at \(Self.number(self.targetConcurrency)) per replica"
            let limit = needed > self.maxReplicas ? ", more than `maxReplicas`" : ""
            need = "\(Self.number(requests)) \(verb) \(needed), \(target)\(limit)"
        } else {
            need = "how many are needed is not known, so nothing changes"
        }
        let held = self.isHeldStill ? "; held still until the rollout has ended" : ""
        return "\(count) of \(self.minReplicas) to \(self.maxReplicas): \(need)\(held)"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e9 ? "\(Int(value))" : "\(value)"
    }
}
