import Deployments

extension Shape {
    static let webhook = Shape(
        "webhook",
        [.required("provider", "approvals"), .optional("timeout", "10s"), .optional("interval", "10s")]
    )
}

extension WebhookQuery {
    init(decoding members: Members) {
        self.init(provider: members["provider"]?.label() ?? "")
        self.timeout = members["timeout"]?.duration(in: .milliseconds(100) ... .minutes(5)) ?? self.timeout
        self.interval = members["interval"]?.duration(in: .seconds(1) ... .hours(1)) ?? self.interval
    }
}
