package import ControllerAPI
import ControllerWords
import Foundation

/// What somebody who may command can do to a deployment as it is now: a form for each command, with its effect, folded
/// until it is wanted. One more press and a reason stand before anything happens.
package struct CommandForms: Sendable {
    private let status: DeploymentStatus
    private let may: Set<OperatorRequest.Verb>
    private let token: String

    /// - Parameters:
    ///   - status: What is commanded.
    ///   - may: What the reader may do.
    ///   - token: Shows that a form came from a page of ours.
    package init(_ status: DeploymentStatus, may: Set<OperatorRequest.Verb>, token: String) {
        self.status = status
        self.may = may
        self.token = token
    }

    var html: HTML {
        let known = AvailableCommands.list(self.status).filter { choice in
            choice.verb.map { self.may.contains($0) } ?? false
        }
        // What ends the hold is what most people come for.
        let choices = known.filter { self.endsAHold($0) } + known.filter { !self.endsAHold($0) }
        if choices.isEmpty { return "<p>There is nothing that you may command in this phase.</p>" }
        return "<ul class=\"choices\">\(choices.map { self.item($0) })</ul>"
    }

    private func item(_ choice: AvailableCommands.Choice) -> HTML {
        guard let verb = choice.verb else { return .none }
        let id = verb.rawValue + (choice.isFull ? "-full" : "") + (choice.takesRevision ? "-to" : "")
        let label = self.label(verb, choice)
        let mark: HTML = self.endsAHold(choice) ? " <span class=\"ends\">ends the hold</span>" : .none
        let danger: HTML = [.abort, .rollback].contains(verb) || choice.isFull ? " danger" : .none
        return """
            <li id="choice-\(id)"><details class="choice\(danger)" name="choice"><summary><b>\(label)</b>\(mark)
            <span class="effect">\(choice.effect)</span></summary>
            <form method="post" action="\(URLText.page(self.status.namespace, self.status.name))/commands">
            <input type="hidden" name="csrf" value="\(self.token)">
            <input type="hidden" name="seen" value="\(Sight.of(self.status))">
            <input type="hidden" name="verb" value="\(verb.rawValue)">
            \(choice.isFull ? "<input type=\"hidden\" name=\"full\" value=\"1\">" : .none)
            \(self.fields(verb, choice, id))
            <p><label for="why-\(id)">Reason, for whoever reads the history</label>
            <input id="why-\(id)" name="why" required maxlength="\(PageCommand.longestReason)" autocomplete="off"></p>
            <p><button type="submit" class="primary">\(label) now</button>
            <span class="hint">the same as <code>\(choice.command)</code></span></p>
            </form></details></li>

            """
    }

    private func endsAHold(_ choice: AvailableCommands.Choice) -> Bool {
        self.status.holds.contains { Self.ends($0, choice) }
    }

    private static func ends(_ hold: HoldStatus, _ choice: AvailableCommands.Choice) -> Bool {
        guard let remedy = hold.remedy, !choice.isFull, !choice.takesRevision, let verb = choice.verb else {
            return false
        }
        return remedy.hasPrefix("controller \(verb.rawValue) ")
    }

    private func label(_ verb: OperatorRequest.Verb, _ choice: AvailableCommands.Choice) -> String {
        switch verb {
        case .pause: "Pause"
        case .resume: "Resume"
        case .promote where choice.isFull: "Promote to all traffic"
        case .promote:
            self.status.holds.contains { ["approval", "sign-off"].contains($0.kind) } ? "Approve" : "Pass this step"
        case .abort: "Abort"
        case .rollback: choice.takesRevision ? "Roll back to a revision" : "Roll back"
        case .retry: "Retry"
        case .prune: "Prune"
        }
    }

    private func fields(_ verb: OperatorRequest.Verb, _ choice: AvailableCommands.Choice, _ id: String) -> HTML {
        if verb == .pause {
            let options = PageCommand.pauses.map { pause -> HTML in
                "<option value=\"\(pause.name)\">\(pause.words)</option>"
            }
            return """
                <p><label for="for-\(id)">For how long</label>
                <select id="for-\(id)" name="for">\(options)</select></p>
                """
        }
        guard choice.takesRevision else { return .none }
        return """
            <p><label for="to-\(id)">Revision: its digest, or the beginning of it</label>
            <input id="to-\(id)" name="to" required pattern="[0-9a-f]{4,64}" maxlength="64" autocomplete="off"
            spellcheck="false"></p>
            """
    }
}
