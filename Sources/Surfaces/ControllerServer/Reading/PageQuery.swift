import ControllerAPI
import Deployments
import Hummingbird

/// Which deployments are listed.
struct PageQuery: Hashable {
    var limit = APIRoute.defaultPageLimit
    /// Only those behind it.
    var after: DeploymentID?
    var namespace: String?
    var phase: String?
    var health: DeploymentStatus.Health?
    /// All of these must be a deployment's labels.
    var labels: [Label] = []

    struct Label: Hashable {
        var name: String
        var value: String
    }

    init() {}

    /// - Throws: A `Problem` that names the parameter.
    init(_ request: Request) throws(Problem) {
        let parameters = request.uri.queryParameters
        self.limit = try APIRoutes.limit(of: request, default: APIRoute.defaultPageLimit, APIRoute.pageLimit)
        if let after = parameters.get("after") {
            guard let id = DeploymentID(parameter: after) else {
                throw .badParameter("after", "the `next` of the page before, such as search/file-type")
            }
            self.after = id
        }
        self.namespace = parameters.get("namespace")
        if let phase = parameters.get("phase") {
            guard DeploymentStatus.phases.contains(phase) else {
                throw .badParameter("phase", "one of \(DeploymentStatus.phases.joined(separator: ", "))")
            }
            self.phase = phase
        }
        if let health = parameters.get("health") {
            guard let known = DeploymentStatus.Health(rawValue: health) else {
                let names = DeploymentStatus.Health.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badParameter("health", "one of \(names)")
            }
            self.health = known
        }
        if let selector = parameters.get("selector") {
            guard let labels = Self.labels(selector) else {
                throw .badParameter("selector", "labels such as team=search,tier=gold")
            }
            self.labels = labels
        }
    }

    private static func labels(_ text: String) -> [Label]? {
        var labels: [Label] = []
        // By scalars: a comma and an accent behind it are one character.
        for part in text.unicodeScalars.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, !sides[0].isEmpty else { return nil }
            labels.append(Label(name: String(sides[0]), value: String(sides[1])))
        }
        return labels
    }

    /// Of equal queries, the same.
    var key: String {
        let labels = self.labels.map { "\($0.name)=\($0.value)" }
        let parts = [
            "\(self.limit)", self.after?.description, self.namespace, self.phase, self.health?.rawValue,
            labels.isEmpty ? nil : labels.debugDescription,
        ]
        return "page \(parts.map { $0.debugDescription })"
    }

    func page(of view: FleetView, _ visible: Visibility) async -> DeploymentPage {
        var page = DeploymentPage(time: view.time, deployments: [])
        let names = view.names
        var start = 0
        if let namespace { start = names.firstIndex(notBefore: DeploymentID(namespace: namespace, name: "")) }
        if let after {
            let place = names.firstIndex(notBefore: after)
            start = max(start, place < names.count && names[place] == after ? place + 1 : place)
        }
        for (count, id) in names[min(start, names.count)...].enumerated() {
            if let namespace, id.namespace != namespace { break }
            // A rare phase of ten thousand is looked for in all of them, and others may want the thread.
            if count % 64 == 63 { await Task.yield() }
            guard visible.contains(id), self.lists(id, in: view), let summary = view.summary(id) else { continue }
            if page.deployments.count == self.limit {
                page.next = page.deployments.last.map { "\($0.namespace)/\($0.name)" }
                break
            }
            page.deployments.append(summary)
        }
        return page
    }

    private func lists(_ id: DeploymentID, in view: FleetView) -> Bool {
        if let phase, view.phase(of: id) != phase { return false }
        if let health, view.health(of: id) != health { return false }
        if self.labels.isEmpty { return true }
        let labels = view.labels(of: id)
        return self.labels.allSatisfy { labels[$0.name] == $0.value }
    }
}
