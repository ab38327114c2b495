import ControllerAPI
import ControllerWords
import Foundation

/// The revisions of a deployment: each a card of its model, where it comes from, and its replicas.
struct RevisionCards {
    private let status: DeploymentStatus
    private let spec: SpecStatus?
    private let now: Date

    init(_ status: DeploymentStatus, spec: SpecStatus?, now: Date) {
        self.status = status
        self.spec = spec
        self.now = now
    }

    var html: HTML {
        let tracks: [(name: String, words: HTML, revision: RevisionStatus?)] = [
            ("canary", "Canary", self.status.canary), ("stable", "Stable", self.status.stable),
            ("previous", "Previous", self.status.previous),
        ]
        let cards = tracks.compactMap { track in track.revision.map { self.card(track.name, track.words, $0) } }
        return """
            <section id="revisions" aria-labelledby="revisions-title">
            <h2 id="revisions-title">Models and replicas</h2>
            \(cards.isEmpty ? "<p>Nothing serves yet.</p>" : HTML("\(cards)"))
            \(self.wanted)\(self.autoscaling)
            </section>
            """
    }

    private func card(_ track: String, _ words: HTML, _ revision: RevisionStatus) -> HTML {
        """
        <article class="card \(track)" aria-labelledby="\(track)-title">
        <h3 id="\(track)-title"><span class="track-name">\(words)</span> \(revision.model)</h3>
        <p class="meter"><span>Traffic</span> \(self.traffic(revision, track)) <b>\(revision.weightText)</b></p>
        <dl>\(self.facts(revision))</dl>
        \(self.replicas(revision))
        </article>
        """
    }

    private func traffic(_ revision: RevisionStatus, _ track: String) -> HTML {
        Bar.render(revision.weight.map { Double($0) / 100 } ?? 0, "\(track)-fill", label: "traffic")
    }

    private func facts(_ revision: RevisionStatus) -> [HTML] {
        let isDesired = revision.revision == self.status.desiredRevision
        let uri = isDesired ? self.value("spec.model.uri") : nil
        let labels = isDesired ? self.labels : nil
        let facts: [(name: String, value: String?)] = [
            ("Model", revision.modelName), ("Version", revision.modelVersion), ("Artifact", uri),
            ("Digest", revision.artifact.isEmpty ? nil : revision.artifact), ("Alias", revision.resolved),
            ("Labels", labels), ("Revision", revision.short),
            ("Commit", "\(revision.commit.short) of \(revision.commit.repository)"),
            ("Change", revision.commit.subject.isEmpty ? nil : revision.commit.subject),
            ("Author", revision.commit.author.isEmpty ? nil : revision.commit.author),
        ]
        return facts.compactMap { name, value in value.map { "<dt>\(name)</dt><dd>\($0)</dd>\n" } }
    }

    private func value(_ field: String) -> String? {
        self.spec?.values.first { $0.field == field }?.value
    }

    private var labels: String? {
        let prefix = "metadata.labels."
        let labels = (self.spec?.values ?? []).filter { $0.field.hasPrefix(prefix) }
        return labels.isEmpty
            ? nil : labels.map { "\($0.field.dropFirst(prefix.count))=\($0.value)" }.joined(separator: ", ")
    }

    private func replicas(_ revision: RevisionStatus) -> HTML {
        let summary = "\(revision.ready) of \(revision.wantedReplicas) replicas ready"
        let items = revision.replicas.map { replica -> HTML in
            let restarts =
                switch replica.restarts {
                case 0: ""
                case 1: ", 1 restart"
                default: ", \(replica.restarts) restarts"
                }
            let failure: HTML = replica.lastFailure.map { "<br><span class=\"failure\">last: \($0)</span>" } ?? .none
            return """
                <li class="replica \(replica.state == "ready" ? "ready" as HTML : "unready")">\
                <b>\(replica.name)</b> \(replica.state)\(restarts)\
                <span class="quiet-label"> \(replica.endpoint ?? "")</span>\(failure)</li>

                """
        }
        // Replicas that are as they should be need no room.
        let isWell = revision.ready >= revision.wantedReplicas && revision.replicas.allSatisfy { $0.state == "ready" }
        let open: HTML = isWell ? .none : " open"
        guard !items.isEmpty else { return "<p>\(summary)</p>" }
        return "<details class=\"replicas\"\(open)><summary>\(summary)</summary><ul>\(items)</ul></details>"
    }

    private var wanted: HTML {
        guard let desired = self.status.desired, desired.commit != self.status.newest?.commit.commit else {
            return .none
        }
        return "<p>Wanted by git: \(desired.short) \(desired.story)</p>"
    }

    private var autoscaling: HTML {
        guard let autoscaling = self.status.autoscaling else { return .none }
        return "<p>Autoscaled: \(autoscaling.words)</p>"
    }
}
