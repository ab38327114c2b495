/// A program that says by its exit code whether a step may pass.
package struct JobRun: Hashable, Codable, Sendable {
    /// The program's name and its arguments, each of which may hold variables. There is no shell.
    package var command: [String]
    package var timeout: Duration

    package init(command: [String], timeout: Duration = .minutes(15)) {
        self.command = command
        self.timeout = timeout
    }
}
