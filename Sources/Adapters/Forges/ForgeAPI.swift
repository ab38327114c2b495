import Reconciliation

/// What the API of each forge has in common.
protocol ForgeAPI: Sendable {
    /// In Unicode scalars.
    var descriptionLimit: Int { get }
    /// Its word for a state.
    func word(for state: RolloutReport.State) -> String
    /// Whether the one need not be written where the other is shown.
    func shows(_ shown: ShownStatus, _ wanted: ShownStatus) -> Bool

    /// The newest status of that name; nothing when there is none.
    func status(named name: String, of report: RolloutReport) async throws(ForgeFailure) -> ShownStatus?
    func setStatus(_ status: ShownStatus, named name: String, of report: RolloutReport) async throws(ForgeFailure)

    /// Its word for the state of what is deployed.
    func deploymentWord(for state: RolloutReport.State) -> String
    /// Shows the state of a commit in an environment.
    func showDeployment(
        _ status: ShownStatus,
        in environment: String,
        of report: RolloutReport
    ) async throws(ForgeFailure)

    /// The number of the merged pull request that brought a commit into the watched branch; nothing when there is none.
    func pullRequest(of commit: String) async throws(ForgeFailure) -> Int?
    /// Oldest first.
    func comments(on pullRequest: Int) async throws(ForgeFailure) -> [ShownComment]
    func write(_ body: String, on pullRequest: Int) async throws(ForgeFailure)
    func rewrite(_ comment: ShownComment, to body: String, on pullRequest: Int) async throws(ForgeFailure)

    /// The address of the open pull request from one branch into another; nothing when there is none.
    func openPullRequest(from branch: String, into base: String) async throws(ForgeFailure) -> String?
    func open(_ request: NewPullRequest) async throws(ForgeFailure) -> String
}

extension ForgeAPI {
    func shows(_ shown: ShownStatus, _ wanted: ShownStatus) -> Bool { shown == wanted }
}

/// A status as a forge shows it.
struct ShownStatus: Hashable, Sendable {
    /// In the forge's own word.
    var state: String
    var description: String
    var link: String?
}

struct ShownComment: Hashable, Sendable {
    var id: Int
    var body: String
}

struct NewPullRequest: Hashable, Sendable {
    var branch: String
    var base: String
    var title: String
    var body: String
}
