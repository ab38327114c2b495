import Deployments
import Manifests
import Reconciliation
import Rollouts
import Testing

/// A deployment whose manifest names a registered model.
enum Magika {
    static let id = DeploymentID(namespace: "default", name: "model")
    static let policy = ModelUpdatePolicy(
        alias: "champion",
        deployments: [.init(namespace: "default", name: nil)],
        mode: .branch,
        interval: .milliseconds(20)
    )
    static func digest(_ letter: Character) -> String { "sha256:" + String(repeating: letter, count: 64) }

    static func registered(_ version: Int, pending: String? = nil, digest: String? = nil) -> RegisteredModel {
        RegisteredModel(model: "magika", version: version, pending: pending, digest: digest)
    }

    /// The commit's digits are those of the version.
    static func commit(_ uri: String = "models:/magika/7", digest: String? = nil, sha: String = "7") -> DesiredCommit {
        let origin = CommitReference(repository: "models", branch: "main", commit: String(repeating: sha, count: 40))
        let file = SourceFile(path: "m.yaml", blob: sha, bytes: Array(ReconcilerTests.manifest(sha).utf8))
        var state = ManifestReader().read([file], origin: origin)
        for index in state.deployments.indices {
            state.deployments[index].model.uri = uri
            state.deployments[index].model.digest = digest
        }
        return DesiredCommit(origin: origin, state: state)
    }

    static func spec(_ uri: String = "models:/magika/7", digest: String? = nil) throws -> DeploymentSpec {
        try #require(Self.commit(uri, digest: digest).state.deployments.first)
    }
}

@Suite("What is proposed of an alias's model")
struct ModelUpdateDecisionTests {
    private func decision(
        _ spec: DeploymentSpec,
        _ seen: RegisteredModel,
        after entries: [ModelProposals.Entry] = [],
        quarantine: [Rollout.Quarantine] = []
    ) -> ModelUpdateDecision {
        var proposals = ModelProposals()
        for entry in entries { proposals.add(entry) }
        return ModelUpdateDecision(
            for: spec,
            seeing: seen,
            by: Magika.policy,
            after: proposals,
            quarantine: quarantine
        )
    }

    private func entry(_ version: Int, isInGit: Bool = false) -> ModelProposals.Entry {
        ModelProposals.Entry(
            model: "magika",
            version: version,
            time: Timestamp(milliseconds: Int64(version)),
            isInGit: isInGit
        )
    }

    private func proposed(_ decision: ModelUpdateDecision) -> ModelPromotion? {
        if case .propose(let promotion) = decision { promotion } else { nil }
    }

    private func reason(_ decision: ModelUpdateDecision) -> String {
        switch decision {
        case .rests(let why): "rests: \(why)"
        case .problem(let why): "problem: \(why)"
        case .agreed, .isBeingProposed, .propose, .unconcerned: "\(decision)"
        }
    }

    @Test
    func `a version that the alias names and git does not is proposed, with its digest and its reason`() throws {
        let spec = try Magika.spec()
        let seen = Magika.registered(8, digest: Magika.digest("b"))
        let promotion = try #require(self.proposed(self.decision(spec, seen)))
        #expect(promotion.previous == "models:/magika/7" && promotion.uri == "models:/magika/8")
        #expect(promotion.version == "8" && promotion.digest == Magika.digest("b"))
        #expect(promotion.reason == "The alias champion of magika names version 8.")
        #expect(promotion.warnings == [] && promotion.mode == .branch && promotion.manifest == spec.origin)
    }

    @Test
    func `what whoever merges it should know is said`() throws {
        var spec = try Magika.spec(digest: Magika.digest("a"))
        spec.model.source = ["run": "mlflow:1"]
        let promotion = try #require(self.proposed(self.decision(spec, Magika.registered(6))))
        #expect(promotion.digest == nil)
        #expect(promotion.warnings.count == 3)
        #expect(promotion.warnings[0].contains("no tag sha256") && promotion.warnings[0].contains("is taken out"))
        #expect(promotion.warnings[1] == "version 6 is older than version 7")
        #expect(promotion.warnings[2].contains("`model.source`"))
    }

    @Test
    func `where git names what the alias does, nothing is proposed, and another digest is told`() throws {
        let pinned = try Magika.spec(digest: Magika.digest("a"))
        #expect(self.decision(pinned, Magika.registered(7)) == .agreed)
        #expect(self.decision(pinned, Magika.registered(7, digest: Magika.digest("a"))) == .agreed)
        #expect(self.decision(try Magika.spec(), Magika.registered(7, digest: Magika.digest("b"))) == .agreed)
        let changed = self.decision(pinned, Magika.registered(7, digest: Magika.digest("b")))
        #expect(self.reason(changed).hasPrefix("problem: the registry says another digest of magika 7"))
    }

    @Test
    func `a manifest of another model, or of no registry, is not concerned`() throws {
        for uri in ["models:/other/7", "https://models.example/m", "file:///m"] {
            #expect(self.decision(try Magika.spec(uri), Magika.registered(8)) == .unconcerned)
        }
    }

    @Test
    func `a manifest that names the alias gets the version`() throws {
        let promotion = self.proposed(self.decision(try Magika.spec("models:/magika@champion"), Magika.registered(8)))
        #expect(promotion?.previous == "models:/magika@champion")
    }

    @Test
    func `a version that is not ready, or in quarantine, is not proposed`() throws {
        let spec = try Magika.spec()
        let pending = self.decision(spec, Magika.registered(8, pending: "not ready yet"))
        #expect(self.reason(pending) == "rests: magika 8 is not ready yet in the registry")
        let bad = Rollout.Quarantine(
            spec: try Magika.spec("models:/magika/8"),
            reason: .gateFailed(gate: "errors", evidence: "5 of 100"),
            since: Timestamp(milliseconds: 0)
        )
        let quarantined = self.decision(spec, Magika.registered(8), quarantine: [bad])
        #expect(self.reason(quarantined).hasPrefix("rests: magika 8 is not proposed: it is in quarantine ("))
        #expect(self.proposed(self.decision(spec, Magika.registered(9), quarantine: [bad])) != nil)
    }

    @Test
    func `what was proposed and not merged is never proposed again by itself`() throws {
        let spec = try Magika.spec()
        for entries in [
            [self.entry(8)], [self.entry(8), self.entry(9)], [self.entry(8), self.entry(9, isInGit: true)],
        ] {
            #expect(self.proposed(self.decision(spec, Magika.registered(8), after: entries)) == nil)
        }
    }

    @Test
    func `what was taken out of git again is not proposed before the alias has moved`() throws {
        let spec = try Magika.spec()
        // 8 was merged, then reverted to 7 after its rollback; the quarantine may be lifted meanwhile.
        let reverted = [self.entry(7, isInGit: true), self.entry(8, isInGit: true)]
        #expect(
            self.reason(self.decision(spec, Magika.registered(8), after: reverted))
                == "rests: magika 8 was in git and was taken out, and the alias stayed; `controller promote-model "
                + "default/model --to 8` proposes it again"
        )
        // The alias went to 9 and came back, or back to 7 and to 8 again.
        let moved = reverted + [self.entry(9, isInGit: true)]
        #expect(self.proposed(self.decision(spec, Magika.registered(8), after: moved)) != nil)
        let returned = [self.entry(8, isInGit: true), self.entry(7, isInGit: true)]
        #expect(self.proposed(self.decision(spec, Magika.registered(8), after: returned)) != nil)
        // A person put git on 7 before anybody moved the alias from 8.
        #expect(self.proposed(self.decision(spec, Magika.registered(8), after: [self.entry(8, isInGit: true)])) == nil)
    }

    @Test
    func `what could not be written is tried again when the manifest is another`() throws {
        let spec = try Magika.spec()
        var entry = self.entry(8)
        entry.outcome = "nothing was proposed: it has an anchor"
        entry.refusedFor = spec.origin.commit
        let same = self.decision(spec, Magika.registered(8), after: [entry])
        #expect(self.reason(same) == "problem: nothing was proposed: it has an anchor")
        entry.refusedFor = "another"
        #expect(self.proposed(self.decision(spec, Magika.registered(8), after: [entry])) != nil)
    }

    /// The alias moves at random, people merge, close and revert at random.
    @Test
    func `in no story is a version proposed twice unless something else was in between`() throws {
        let specs = try (6...9).map { try Magika.spec("models:/magika/\($0)") }
        for seed in 1...300 {
            var random = SplitMix(state: UInt64(seed))
            var (git, alias) = (7, 7)
            var proposals = ModelProposals()
            var open: Set<Int> = []
            var closed: Set<Int> = []
            var proposed: [Int] = []
            for step in 0..<60 {
                switch random.next() % 5 {
                case 0: alias = 6 + Int(random.next() % 4)
                case 1: if let merged = open.min() { (git, open) = (merged, open.subtracting([merged])) }
                case 2:
                    if let rejected = open.max() {
                        (open, closed) = (open.subtracting([rejected]), closed.union([rejected]))
                    }
                case 3: git = 6 + Int(random.next() % 4)
                default: break
                }
                // Merged, or made needless.
                open.remove(git)
                proposals.noteInGit("magika", git)
                let decision = ModelUpdateDecision(
                    for: specs[git - 6],
                    seeing: Magika.registered(alias),
                    by: Magika.policy,
                    after: proposals,
                    quarantine: []
                )
                let time = Timestamp(milliseconds: Int64(step))
                if case .propose = decision {
                    #expect(alias != git && !open.contains(alias), "seed \(seed)")
                    #expect(proposed.last != alias || proposals.newest(of: "magika")?.version != alias, "seed \(seed)")
                    // Closed and never merged by other means since.
                    #expect(!closed.contains(alias) || proposals.entry(of: "magika", alias)?.isInGit == true)
                    proposed.append(alias)
                    open.insert(alias)
                    proposals.add(ModelProposals.Entry(model: "magika", version: alias, time: time))
                } else if decision == .agreed, proposals.newest(of: "magika")?.version != alias {
                    proposals.add(ModelProposals.Entry(model: "magika", version: alias, time: time, isInGit: true))
                }
            }
        }
    }
}

/// A generator of random numbers that a seed repeats.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
