import Deployments
import Foundation
import Rollouts
import Simulation
import Testing

@Suite
struct ScenarioTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    /// `make golden` rewrites the transcripts; the diff is what a change of behaviour looks like.
    @Test(arguments: Script.all)
    func `a scripted world goes as its golden transcript says`(script: Script) async throws {
        let transcript = await Transcript(of: script)
        #expect(transcript.violations == [])
        #expect(transcript.rollout.stable?.revision == script.ends.map(Scenario.revision))
        #expect(transcript.rollout.quarantine.keys.sorted() == script.quarantined.map(Scenario.revision))

        let file = Self.folder.appending(path: "\(script.name).txt")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try Data(transcript.text.utf8).write(to: file)
            return
        }
        let golden = try String(contentsOf: file, encoding: .utf8)
        let (was, is_) = (golden.split(separator: "\n"), transcript.text.split(separator: "\n"))
        let first = zip(was, is_).first { $0 != $1 }
        #expect(
            golden == transcript.text,
            """
            \(script.name).txt differs, first here:
            - \(first?.0 ?? "(it ended)")
            + \(first?.1 ?? "(it ended)")
            run `make golden` and read the diff
            """
        )
    }

    @Test
    func `every golden transcript belongs to a script`() throws {
        // Being written just now, by other tests.
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" { return }
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(files.sorted() == Script.all.map { "\($0.name).txt" }.sorted())
    }
}
