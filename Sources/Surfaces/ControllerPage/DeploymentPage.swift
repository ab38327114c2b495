package import ControllerAPI
import ControllerWords
package import Foundation

/// One deployment: what is wrong, why, what can be done, and then all that is known.
package struct DeploymentPage: Sendable {
    let status: DeploymentStatus
    let explanation: Explanation
    let now: Date
    private let series: SeriesStatus?
    private let spec: SpecStatus?
    private let forms: CommandForms?
    private let answer: OperatorAnswer?

    /// - Parameters:
    ///   - status: What is shown.
    ///   - series: What its gates measured; nothing when no rollout was seen.
    ///   - spec: The values of its manifest, if it was read.
    ///   - forms: Nothing for somebody who may only look.
    ///   - answer: To a command that was just sent.
    ///   - now: What ages and ends are told from.
    package init(
        _ status: DeploymentStatus,
        series: SeriesStatus?,
        spec: SpecStatus?,
        forms: CommandForms?,
        answer: OperatorAnswer?,
        now: Date
    ) {
        self.status = status
        self.explanation = Explanation(status, now: now)
        self.series = series
        self.spec = spec
        self.forms = forms
        self.answer = answer
        self.now = now
    }

    package func render(_ shell: PageShell) -> String {
        let standing = Standing.of(self.status)
        return shell.page(
            title: "\(standing.title): \(self.status.id)",
            """
            \(self.head(standing))
            \(self.said)
            <div class="columns">
            <div class="first">
            \(self.callouts)
            \(self.paragraphs(["Who is asked besides", "What it waits for"]))
            \(self.actions)
            \(self.paragraphs(["What happens next"]))
            </div>
            <div class="second">
            \(self.steps)
            \(self.gates)
            \(self.timeline)
            \(self.paragraphs(["Where it is", "What would take its traffic back", "What the controller sees"]))
            </div>
            <div class="third">
            \(RevisionCards(self.status, spec: self.spec, now: self.now).html)
            </div>
            </div>
            \(self.events)
            \(self.manifest)
            """
        )
    }

    // MARK: What is wrong

    private func head(_ standing: Standing) -> HTML {
        let badges = Standing.all(of: self.status).map(\.badge)
        let step = self.status.currentStep.map { ", step \($0.number) of \(self.status.steps.count)" } ?? ""
        return """
            <p class="crumbs"><a href="/">Fleet</a> / \
            <a href="/?namespace=\(URLText.encoded(self.status.namespace))">\(self.status.namespace)</a></p>
            <h1>\(self.status.name) \(badges)</h1>
            <p class="verdict \(standing.rawValue)" id="verdict" role="status">\(self.verdict)</p>
            <p class="facts"><b>\(self.status.modelChange)</b>, \(self.status.phase)\(step), for \
            \(PageShell.age(self.status.since, now: self.now))</p>
            """
    }

    /// What goes on; of a rollout that stands still, first of all that it does.
    private var verdict: String {
        let message = self.status.message.isEmpty ? self.explanation.place.first ?? "" : self.status.message
        if Standing.isBack(self.status), let stable = self.status.stable {
            return "\(message). Users are served by \(stable.model): \(stable.ready) of \(stable.wantedReplicas) "
                + "replicas are ready."
        }
        guard self.status.health != .degraded, let hold = self.explanation.holds.first else { return message }
        let head = hold.text.firstRange(of: #/[:.] | since /#).map { String(hold.text[..<$0.lowerBound]) } ?? hold.text
        return "It stands still. \(head)."
    }

    private var said: HTML {
        guard let answer = self.answer else { return .none }
        let (kind, word): (HTML, String) =
            answer.accepted ? ("taken", answer.changed ? "Done" : "Nothing to do") : ("refused", "Refused")
        return "<p class=\"answer \(kind)\" id=\"answer\" role=\"alert\"><b>\(word):</b> \(answer.message)</p>"
    }

    private var callouts: HTML {
        let kinds: [(title: String, kind: HTML)] = [
            ("What holds it", "held"), ("What is quarantined", "quarantined"), ("What is wrong in git", "misdeclared"),
        ]
        let boxes = kinds.compactMap { title, kind -> HTML? in
            self.explanation.paragraphs.first { $0.title == title }.map { self.section($0, "callout \(kind)") }
        }
        let model: HTML =
            self.status.modelUpdate.map { update in
                """
                <section class="callout \(update.isProblem ? "misdeclared" as HTML : "rolling-out")">
                <h2>Its model's alias</h2><p>\(update.message), since \(PageShell.age(update.since, now: self.now))</p>
                </section>
                """
            } ?? .none
        return HTML("\(boxes)\(model)")
    }

    private func paragraphs(_ titles: [String]) -> [HTML] {
        titles.compactMap { title in
            self.explanation.paragraphs.first { $0.title == title }.map { self.section($0, "paragraph") }
        }
    }

    /// The words of `controller explain`.
    private func section(_ paragraph: Explanation.Paragraph, _ kind: HTML) -> HTML {
        let id = paragraph.title.lowercased().replacing(" ", with: "-")
        var (body, items): (HTML, [HTML]) = (.none, [])
        for sentence in paragraph.sentences {
            if sentence.hasPrefix("• ") {
                items.append("<li>\(String(sentence.dropFirst(2)))</li>\n")
            } else {
                body = "\(body)<p>\(sentence)</p>\n"
            }
        }
        let list: HTML = items.isEmpty ? .none : "<ul>\(items)</ul>"
        return """
            <section id="\(id)" class="\(kind)" aria-labelledby="\(id)-title">
            <h2 id="\(id)-title">\(paragraph.title)</h2>
            \(body)\(list)
            </section>
            """
    }

    private var actions: HTML {
        let body: HTML =
            self.forms?.html ?? """
                <p>You may look, but not command. Who may can use:</p>
                <ul>\(self.explanation.commands.map { "<li><code>\($0.command)</code> \($0.effect)</li>" as HTML })</ul>
                """
        return """
            <section id="actions" aria-labelledby="actions-title"><h2 id="actions-title">What you can do</h2>
            \(body)
            </section>
            """
    }

    // MARK: The rollout

    private var steps: HTML {
        guard !self.status.steps.isEmpty else { return .none }
        let items = self.status.steps.enumerated().map { index, step -> HTML in
            let (mark, word, clock): (HTML, HTML, HTML) =
                switch step.state {
                case .done: ("✔", "done", .none)
                case .current: ("▶", "now", " <span>\(StepClock.text(step, now: self.now))</span>")
                case .pending: ("○", "to come", .none)
                }
            let current: HTML = step.state == .current ? " aria-current=\"step\"" : .none
            return """
                <li class="step \(step.state.rawValue)"\(current)><span aria-hidden="true">\(mark)</span> \
                <b>\(index + 1). \(step.title)</b> <span class="quiet-label">\(word)</span>\(clock)</li>

                """
        }
        return """
            <section id="steps" aria-labelledby="steps-title"><h2 id="steps-title">Steps</h2>
            <ol class="steps">\(items)</ol></section>
            """
    }

    private var gates: HTML {
        guard let words = self.explanation.paragraphs.first(where: { $0.title == "What the gates say" }) else {
            return .none
        }
        let items = zip(self.status.gates, words.sentences).enumerated().map { index, gate in
            GateLine.render(gate.0, number: index + 1, sentence: gate.1)
        }
        return """
            <section id="gates" aria-labelledby="gates-title"><h2 id="gates-title">\(words.title)</h2>
            <ul class="gates">\(items)</ul></section>
            """
    }

    private var timeline: HTML {
        guard let series = self.series else { return .none }
        return Timeline(series, now: self.now).html
    }

    private var events: HTML {
        guard !self.status.events.isEmpty else { return .none }
        return """
            <section id="events" aria-labelledby="events-title"><h2 id="events-title">What happened</h2>
            \(EventList.render(self.status.events.reversed(), now: self.now, withDeployment: false))
            </section>
            """
    }

    private var manifest: HTML {
        guard let spec = self.spec else { return .none }
        let rows = spec.values.map { value -> HTML in
            "<tr><th scope=\"row\">\(value.field)</th><td>\(value.value)</td><td>\(value.origin)</td></tr>\n"
        }
        return """
            <details class="manifest"><summary>Its manifest: \(spec.file) at \(String(spec.commit.prefix(8)))</summary>
            <div class="scroll" tabindex="0" role="region" aria-label="Values of the manifest"><table>
            <thead><tr><th scope="col">Field</th><th scope="col">Value</th><th scope="col">From</th></tr></thead>
            <tbody>\(rows)</tbody></table></div></details>
            """
    }
}
