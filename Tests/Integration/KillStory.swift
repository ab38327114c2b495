import ControllerAPI
import Foundation

/// How a rollout of the campaign goes when nobody kills the controller.
enum KillStory: String, CaseIterable {
    /// A good release, through two steps and a bake with a holdback.
    case promoted
    /// A release that fails half of its requests, taken back by its gate.
    case failed
    /// A release that fails only once it is promoted, taken back by its objective.
    case breached
    /// A release that an operator takes back in its step.
    case recalled
    /// A release with a wrong digest, which never starts.
    case refused

    func release(_ version: String, faultFile: String) -> Release {
        var release = Release(version: version)
        switch self {
        case .promoted:
            release.bakeTime = "2s"
        case .failed:
            release.faults = "share=0.5"
            release.steps = [.long(50)]
        case .breached:
            release.faults = "share=0.5,file=\(faultFile)"
            release.steps = [.init(50)]
            release.bakeTime = "30m"
            // With one, a gate may find it first, or not: only one of the two is the same end every time.
            release.holdback = 0
        case .recalled:
            release.steps = [.long(25)]
        case .refused:
            release.digest = "sha256:" + String(repeating: "0", count: 64)
        }
        return release
    }

    /// What git is told of it.
    var told: [String] {
        switch self {
        case .promoted: ["promoted"]
        case .breached: ["promoted", "rolled-back"]
        case .failed, .recalled, .refused: ["rolled-back"]
        }
    }

    /// Whether the model itself answers with errors. Those are not dropped by us.
    var answersErrors: Bool { self == .failed || self == .breached }
}

/// What is left of a rollout, in words that are the same for every release of its story.
struct KillEnd: Hashable, CustomStringConvertible {
    /// Whether the new release serves.
    var serves: String
    /// The reasons of its quarantine, without their numbers.
    var quarantine: [String]
    /// The kinds of all its events, but for those that are not its own.
    var events: [String]
    /// What git was told about its commit, one after another.
    var told: [String]
    /// The model servers that run.
    var servers: Int
    var envoys: Int

    var description: String {
        "\(self.serves) serves; quarantine \(self.quarantine); events \(self.events); git was told \(self.told); "
            + "\(self.servers) model server, \(self.envoys) Envoy"
    }

    /// The words up to the first figure, as evidence differs from run to run.
    static func withoutNumbers(_ reason: String) -> String {
        reason.prefix { $0 != ":" && !$0.isNumber }.trimmingCharacters(in: .whitespaces)
    }

    /// Whether a step ends without a verdict depends on how many requests came in time, and whether the policy changes
    /// in place on the rollout before; the rest is the story.
    static func kinds(of events: [EventStatus]) -> [String] {
        events.map(\.kind).filter { !["inconclusive", "changed-in-place"].contains($0) }
    }

    static let outcomes: Set<String> = ["promoted", "rolled-back", "superseded"]
}
