package import ControllerAPI
import ControllerWords
package import Foundation

/// The fleet at a glance: how many stand how, and each deployment in a line, those that need somebody first.
package struct FleetPage: Sendable {
    private let fleet: FleetStatus
    private let filter: FleetFilter
    private let now: Date

    package init(_ fleet: FleetStatus, filter: FleetFilter, now: Date) {
        self.fleet = fleet
        self.filter = filter
        self.now = now
    }

    package func render(_ shell: PageShell) -> String {
        let attention = self.fleet.deployments.count { Self.needsSomebody($0) }
        return shell.page(
            title: attention == 0 ? "Fleet: all is well" : "Fleet: \(attention) need a look",
            current: .fleet,
            """
            <h1>Fleet</h1>
            \(self.summary(attention))
            \(self.repositories)
            \(self.counts)
            \(self.search)
            \(self.list)
            """
        )
    }

    private static func needsSomebody(_ status: DeploymentStatus) -> Bool {
        switch Standing.of(status) {
        case .broken, .unseen, .held, .quarantined, .misdeclared: true
        case .rollingOut, .outOfSync, .healthy: false
        }
    }

    private func summary(_ attention: Int) -> HTML {
        let all = self.fleet.deployments.count
        let words =
            switch (all, attention) {
            case (0, _): "There is no deployment yet: the repositories below say what was read."
            case (_, 0): all == 1 ? "The one deployment is well." : "All \(all) deployments are well."
            case (_, 1): "1 of \(all) needs a look."
            default: "\(attention) of \(all) need a look."
            }
        return "<p class=\"verdict\" id=\"verdict\" role=\"status\">\(words)</p>"
    }

    // MARK: Counts and search

    private var counts: HTML {
        let standings = self.fleet.deployments.filter { self.filter.selectsWhatever(itsStanding: $0) }
            .map { Standing.all(of: $0) }
        let links = Standing.allCases.compactMap { standing -> HTML? in
            let count = standings.count { $0.contains(standing) }
            guard count > 0 || self.filter.standing == standing else { return nil }
            return self.link(to: standing, count)
        }
        return """
            <nav aria-label="By state"><ul class="counts">
            <li id="count-all"><a href="\(self.filter.path(standing: nil))"\(self.mark(nil))>All \
            <b>\(standings.count)</b></a></li>
            \(links)
            </ul></nav>
            """
    }

    private func link(to standing: Standing, _ count: Int) -> HTML {
        """
        <li id="count-\(standing.rawValue)"><a class="\(standing.rawValue)" \
        href="\(self.filter.path(standing: standing))" title="\(standing.meaning)"\(self.mark(standing))>\
        \(standing.title) <b>\(count)</b></a></li>

        """
    }

    private func mark(_ standing: Standing?) -> HTML {
        self.filter.standing == standing ? " aria-current=\"true\"" : .none
    }

    private var search: HTML {
        let namespaces = Set(self.fleet.deployments.map(\.namespace)).sorted()
        let options = namespaces.map { name -> HTML in
            "<option value=\"\(name)\"\(name == self.filter.namespace ? " selected" as HTML : .none)>\(name)</option>"
        }
        let state: HTML =
            self.filter.standing.map { "<input type=\"hidden\" name=\"state\" value=\"\($0.rawValue)\">" } ?? .none
        return """
            <form class="search" role="search" method="get" action="/">
            \(state)
            <label for="q">Name, model, commit or author</label>
            <input id="q" name="q" type="search" value="\(self.filter.text)" maxlength="100">
            <label for="namespace">Namespace</label>
            <select id="namespace" name="namespace"><option value="">all</option>\(options)</select>
            <button type="submit">Show</button>
            </form>
            """
    }

    // MARK: The deployments

    private var list: HTML {
        let chosen = self.fleet.deployments.filter { self.filter.selects($0) }
            .map { (standing: Standing.of($0), status: $0) }
            .sorted { left, right in
                let (first, second) = (Self.rank(left.standing), Self.rank(right.standing))
                return first == second ? left.status.id < right.status.id : first < second
            }
        if chosen.isEmpty {
            guard !self.fleet.deployments.isEmpty else { return .none }
            return "<p>None is like that. <a href=\"/\">Show all</a></p>"
        }
        let pages = (chosen.count - 1) / FleetFilter.pageSize + 1
        let page = min(self.filter.page, pages)
        let start = (page - 1) * FleetFilter.pageSize
        let shown = chosen[start..<min(start + FleetFilter.pageSize, chosen.count)]
        return """
            <h2 class="quiet">Deployments</h2>
            <ul class="fleet">
            \(shown.map { self.row($0.status, $0.standing) })
            </ul>
            \(self.pager(page, of: pages))
            """
    }

    private static func rank(_ standing: Standing) -> Int {
        Standing.allCases.firstIndex(of: standing) ?? Standing.allCases.count
    }

    private func row(_ status: DeploymentStatus, _ standing: Standing) -> HTML {
        let others = Standing.all(of: status).dropFirst().map(\.title).joined(separator: ", ")
        let also: HTML = others.isEmpty ? .none : " <span class=\"also\">\(others)</span>"
        return """
            <li id="row-\(status.id)" class="row \(standing.rawValue)">
            <div class="row-state">\(standing.badge)\(also)</div>
            <div class="row-name"><a href="\(URLText.page(status.namespace, status.name))">\
            <span class="space">\(status.namespace)/</span>\(status.name)</a>\
            <span class="model">\(status.modelChange)</span></div>
            <div class="row-words">\(self.words(status))</div>
            <div class="row-progress">\(self.progress(status))</div>
            <div class="row-since"><span class="quiet-label">for </span>\
            \(PageShell.age(Self.began(status), now: self.now))</div>
            </li>

            """
    }

    /// What holds it, and else what goes on and what it waits for.
    private func words(_ status: DeploymentStatus) -> String {
        let explanation = Explanation(status, now: self.now)
        if status.health != .degraded, let hold = explanation.holds.first { return hold.text }
        return status.message.isEmpty ? explanation.place.first ?? "" : status.message
    }

    private static func began(_ status: DeploymentStatus) -> Date {
        status.holds.compactMap(\.since).min() ?? status.since
    }

    private func progress(_ status: DeploymentStatus) -> HTML {
        let replicas = [status.canary, status.stable].compactMap { $0 }
        let ready = "\(replicas.reduce(0) { $0 + $1.ready })/\(replicas.reduce(0) { $0 + $1.wantedReplicas }) ready"
        guard let canary = status.canary else { return "<span>\(ready)</span>" }
        let step = status.currentStep.map { "step \($0.number)/\(status.steps.count), " } ?? ""
        return """
            \(Bar.render(canary.weight.map { Double($0) / 100 } ?? 0, "weight", label: "canary's traffic"))
            <span>\(step)\(canary.weightText), \(ready)</span>
            """
    }

    private func pager(_ page: Int, of pages: Int) -> HTML {
        guard pages > 1 else { return .none }
        func link(_ target: Int, _ words: HTML) -> HTML {
            guard (1...pages).contains(target) else { return "<span class=\"quiet-label\">\(words)</span>" }
            return "<a href=\"\(self.filter.path(standing: self.filter.standing, page: target))\">\(words)</a>"
        }
        return """
            <nav class="pager" aria-label="Pages of deployments">\(link(page - 1, "Before")) \
            <span>Page \(page) of \(pages)</span> \(link(page + 1, "Next"))</nav>
            """
    }

    // MARK: Repositories

    private var repositories: HTML {
        let unknown = (self.fleet.unknown ?? []).map { name -> HTML in
            """
            <li><b>\(name)</b> is served and unknown: the journal was lost, and git has not said yet what it is.</li>
            """
        }
        let problems = unknown + self.fleet.sources.flatMap { self.problems(of: $0) }
        let callout: HTML =
            problems.isEmpty
            ? .none
            : """
            <section class="callout misdeclared" aria-labelledby="repositories-problems">
            <h2 id="repositories-problems">What is wrong with the repositories</h2><ul>\(problems)</ul></section>
            """
        let lines = self.fleet.sources.map { source -> HTML in
            let read = source.lastPolled.map { "read \(TimeText.age(of: $0, now: self.now)) ago" } ?? "not read yet"
            let commit = source.commit.map { " at \($0.prefix(8))" } ?? ""
            return "<li><b>\(source.repository)</b> (\(source.branch))\(commit), \(read)</li>"
        }
        let list: HTML =
            lines.isEmpty
            ? .none
            : """
            <details class="repositories"><summary>Repositories: \(lines.count)</summary><ul>\(lines)</ul></details>
            """
        return callout + list
    }

    private func problems(of source: SourceStatus) -> [HTML] {
        var words: [String] = []
        if let problem = source.problem {
            let standing = source.commit.map { "; commit \($0.prefix(8)) stands" } ?? ""
            let read = source.lastPolled.map { ", last read \(TimeText.age(of: $0, now: self.now)) ago" } ?? ""
            words.append("\(problem)\(standing)\(read)")
        }
        words += source.diagnostics + (source.undelivered ?? []).map { "git is not told yet: \($0)" }
        return words.map { "<li><b>\(source.repository)</b> (\(source.branch)): \($0)</li>" }
    }
}
