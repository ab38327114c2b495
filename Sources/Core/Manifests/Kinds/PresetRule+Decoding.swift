import Deployments

extension Shape {
    static let flagger = Shape(
        "flagger",
        [
            .optional("interval", "1m"),
            .optional("threshold", "5"),
            .optional("thresholdRange", "{min: 99}"),
        ]
    )
    static let thresholdRange = Shape("thresholdRange", [.required("min", "99")])
    static let argo = Shape(
        "argo",
        [
            .optional("interval", "5m"),
            .optional("count", "5"),
            .optional("failureLimit", "0"),
            .optional("consecutiveErrorLimit", "4"),
            .optional("successCondition", "\"result[0] >= 0.95\""),
        ]
    )
    static let kayenta = Shape(
        "kayenta",
        [.required("lifetimeDuration", "30m"), .optional("analysisInterval", "5m")]
    )
}

extension FlaggerRule {
    init(decoding members: Members) {
        self.init()
        self.interval = members["interval"]?.duration(in: .seconds(10) ... .hours(1)) ?? self.interval
        self.threshold = members["threshold"]?.integer(in: 1...1000) ?? self.threshold
        if let range = members["thresholdRange"]?.members(of: .thresholdRange) {
            self.minimum = range["min"]?.number(in: 0...100) ?? self.minimum
        }
    }
}

extension ArgoRule {
    init(decoding members: Members) {
        self.init()
        self.interval = members["interval"]?.duration(in: .seconds(10) ... .hours(1)) ?? self.interval
        self.count = members["count"]?.integer(in: 1...1000) ?? self.count
        self.failureLimit = members["failureLimit"]?.integer(in: 0...1000) ?? self.failureLimit
        self.consecutiveErrorLimit =
            members["consecutiveErrorLimit"]?.integer(in: 0...1000) ?? self.consecutiveErrorLimit
        self.minimum = members["successCondition"]?.successCondition() ?? self.minimum
        if self.failureLimit >= self.count {
            (members["failureLimit"] ?? members["count"])?
                .error("of \(self.count) measurements \(self.failureLimit) may fail: the gate could never fail")
        }
    }
}

extension KayentaRule {
    /// The most that is kept of a step: two samples, a value a minute each.
    private static let longest: Duration = .hours(6)

    init(decoding members: Members) {
        self.init()
        let range: ClosedRange<Duration> = .minutes(1)...Self.longest
        self.lifetimeDuration = members["lifetimeDuration"]?.duration(in: range) ?? self.lifetimeDuration
        self.analysisInterval = members["analysisInterval"]?.duration(in: range) ?? self.analysisInterval
        if self.analysisInterval > self.lifetimeDuration {
            (members["analysisInterval"] ?? members["lifetimeDuration"])?.error(
                "the canary would never be judged: `analysisInterval` is longer than `lifetimeDuration`; make it "
                    + "\(Quantity.text(self.lifetimeDuration)) or less"
            )
        }
    }
}

extension Field {
    /// `result[0] >= 0.95`, the one form of a condition that is read here.
    ///
    /// - Returns: The share of requests that must succeed, 0 to 1.
    fileprivate func successCondition() -> Double? {
        guard let text = self.string(limit: 100) else { return nil }
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 3, words[0] == "result[0]" || words[0] == "result", words[1] == ">=",
            words[2].utf8.allSatisfy({ $0.isDecimalDigit || $0 == UInt8(ascii: ".") }), let share = Double(words[2]),
            (0...1).contains(share)
        else {
            self.expected("`result[0] >= ` and the share of requests that must succeed, from 0 to 1")
            return nil
        }
        return share
    }
}
