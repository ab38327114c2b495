import Deployments

extension Shape {
    static let slowdown = Shape(
        "slowdown",
        [
            .optional("maxSlowerPairs", "52%"),
            .optional("maxRatio", "2"),
        ]
    )
}

extension SlowdownRule {
    init(decoding members: Members) {
        self.init()
        self.maximumPairs = members["maxSlowerPairs"]?.shareOfPairs() ?? self.maximumPairs
        self.maximumRatio = members["maxRatio"]?.number(in: 1...100)
    }
}

extension Field {
    /// `52%`, `52.5%`: identical revisions are at half, so nearer than half a percent to it no canary would ever be
    /// shown to be as fast.
    fileprivate func shareOfPairs() -> Double? {
        let form = "percent with their sign from 50.5% to 95%, such as `52%`, identical revisions being at 50%"
        guard let text = self.string(limit: 32, form: form, where: { $0.hasSuffix("%") }) else { return nil }
        guard let percent = Double(text.dropLast()), (50.5...95).contains(percent) else {
            self.expected(form)
            return nil
        }
        return percent / 100
    }
}
