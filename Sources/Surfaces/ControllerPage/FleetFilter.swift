import ControllerAPI
import ControllerWords

/// Which deployments of the fleet somebody wants to see.
package struct FleetFilter: Hashable, Sendable {
    package var namespace: String?
    package var standing: Standing?
    /// In names, models, commits and authors; capitals do not matter.
    package var text: String
    /// From 1 on.
    package var page: Int

    package init(namespace: String? = nil, standing: Standing? = nil, text: String = "", page: Int = 1) {
        self.namespace = namespace
        self.standing = standing
        self.text = String(text.prefix(100))
        self.page = max(1, page)
    }

    /// As many as a screen can show at once and a browser redraws without a hitch.
    static let pageSize = 100

    func selects(_ status: DeploymentStatus) -> Bool {
        if let standing = self.standing, !Standing.all(of: status).contains(standing) { return false }
        return self.selectsWhatever(itsStanding: status)
    }

    /// For the counts of those that the other conditions leave.
    func selectsWhatever(itsStanding status: DeploymentStatus) -> Bool {
        if let namespace = self.namespace, namespace != status.namespace { return false }
        guard !self.text.isEmpty else { return true }
        let wanted = self.text.lowercased()
        return Self.words(of: status).contains { $0.lowercased().contains(wanted) }
    }

    private static func words(of status: DeploymentStatus) -> [String] {
        let commits = [status.newest?.commit, status.desired].compactMap { $0 }
        return [status.id, status.modelChange] + commits.flatMap { [$0.commit, $0.subject, $0.author] }
    }

    /// A link's `href` to the same with another standing or page.
    func path(standing: Standing?, page: Int = 1) -> String {
        var query: [String] = []
        if let namespace { query.append("namespace=\(URLText.encoded(namespace))") }
        if let standing { query.append("state=\(standing.rawValue)") }
        if !self.text.isEmpty { query.append("q=\(URLText.encoded(self.text))") }
        if page > 1 { query.append("page=\(page)") }
        return "/" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    }
}
