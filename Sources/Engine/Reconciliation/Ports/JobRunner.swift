/// Runs the programs of job gates.
package protocol JobRunner: Sendable {
    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - command: Its name and its arguments, complete.
    ///   - timeout: After it everything that the program started is ended.
    /// - Returns: Pass or fail by its exit code, with its last lines; otherwise why there is no verdict.
    func run(_ command: [String], timeout: Duration) async -> VerdictAnswer
}
