package import ControllerAPI

extension SignOffStatus {
    /// `before the promotion`
    package var placeWords: String {
        switch self.place {
        case "beforeRollout": "before the rollout"
        case "beforePromotion": "before the promotion"
        case "afterPromotion": "after the promotion"
        default: self.place
        }
    }

    /// What is asked, and what was said to that.
    var sentence: String {
        let asked = (self.needsApproval ? ["an approval"] : []) + self.gates.map { "gate \($0.name)" }
        let wish = "\(self.model) takes \(asked.joined(separator: " and ")) \(self.placeWords)"
        guard self.needsApproval else { return "\(wish)." }
        return self.approvedBy.map { "\(wish); \($0) has approved." } ?? "\(wish); nobody has approved yet."
    }
}
