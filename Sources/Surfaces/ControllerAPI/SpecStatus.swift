/// Each value of a deployment as the last commit that was read wants it, and where it comes from.
package struct SpecStatus: Codable, Hashable, Sendable {
    package var deployment: String
    package var repository: String
    package var branch: String
    package var commit: String
    /// The file of its manifest.
    package var file: String
    package var values: [Value]
    /// What is wrong with the manifest, or with a `defaults.yaml` above it. While there are errors, the last good
    /// manifest stands, and the values are what would be.
    package var problems: [String]

    package struct Value: Codable, Hashable, Sendable {
        /// `spec.rollout.bakeTime`
        package var field: String
        /// As it is written; of a list of plain values, all of them.
        package var value: String
        /// `prod/defaults.yaml:7`, or `default` for what is built in.
        package var origin: String

        package init(field: String, value: String, origin: String) {
            self.field = field
            self.value = value
            self.origin = origin
        }
    }

    package init(
        deployment: String,
        repository: String,
        branch: String,
        commit: String,
        file: String,
        values: [Value],
        problems: [String]
    ) {
        self.deployment = deployment
        self.repository = repository
        self.branch = branch
        self.commit = commit
        self.file = file
        self.values = values
        self.problems = problems
    }
}
