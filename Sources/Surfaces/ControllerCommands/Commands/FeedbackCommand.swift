package import ArgumentParser
import ControllerAPI
import Deployments
import Foundation

package struct FeedbackCommand: ClientCommand {
    package static let configuration = CommandConfiguration(
        commandName: "feedback",
        abstract: "Tell which answers were right, or how good they were, for gates that are made of labels.",
        discussion: """
            The file has a label a line, as JSON. `id` is what the answer said in its header x-feedback-id; `correct` is
            true or false, `value` is from 0 to 1, and a label may have both:

              {"id": "3f2a91c0de.5d01e8b7.6a1f0c52-77ab-4d2e-9f31-0c2d5e7b8a90", "correct": false}

            Late labels are welcome, as long as their revision has a part in the deployment. Each request counts once: a
            file that was sent before does no harm, also when it broke off in the middle.

            EXAMPLES
              controller feedback search/file-type labels.jsonl
              zcat labels.jsonl.gz | controller feedback search/file-type - --output json
            """
    )

    @Argument(help: DeploymentArgument.help)
    package var name: DeploymentArgument

    @Argument(help: ArgumentHelp("JSON lines; - is stdin.", valueName: "file"), completion: .file())
    package var file: String

    @Option(name: [.short, .long], help: "table for people, json or yaml for programs.")
    package var output: OutputFormat = .table

    @OptionGroup
    package var connection: ConnectionOptions

    package init() {}

    package func run(on console: Console) async throws {
        let client = try self.connection.client(console)
        var reader = try LineReader(path: self.file)
        var answer = FeedbackAnswer()
        var (batch, batches) = ([FeedbackLabel](), 0)
        do {
            while let line = try reader.next() {
                batch.append(try self.label(line, number: reader.number))
                guard batch.count == FeedbackBatch.limit else { continue }
                answer += try await self.send(batch, to: client)
                (batch, batches) = ([], batches + 1)
                if batches.isMultiple(of: Self.reported) {
                    console.tell("\(batches * FeedbackBatch.limit) labels of \(self.file) were sent")
                }
            }
            if !batch.isEmpty { answer += try await self.send(batch, to: client) }
        } catch let failure as CommandFailure where answer != FeedbackAnswer() {
            let before =
                "\(answer.counted) labels were counted before; mend it and send the whole file again, as each "
                + "request counts once"
            throw CommandFailure(code: failure.code, message: "\(failure.message) (\(before))")
        }
        try self.output.print(answer, on: console) { [StyledText(Self.text(answer, of: self.name.id))] }
    }

    /// So many batches are some seconds' work, after which it says how far it is.
    private static let reported = 50

    private func label(_ line: [UInt8], number: Int) throws -> FeedbackLabel {
        do {
            return try JSONDecoder().decode(FeedbackLabel.self, from: Data(line))
        } catch let problem as FeedbackProblem {
            throw CommandFailure(code: .usage, message: "\(self.file):\(number): \(problem.message)")
        } catch {
            throw CommandFailure(
                code: .usage,
                message: "\(self.file):\(number): not a label: write an object with `id` and `correct` or `value`"
            )
        }
    }

    private func send(_ batch: [FeedbackLabel], to client: ControllerClient) async throws -> FeedbackAnswer {
        do {
            return try await client.feedback(batch, on: self.name.id)
        } catch {
            throw CommandFailure(error)
        }
    }

    private static func text(_ answer: FeedbackAnswer, of id: DeploymentID) -> String {
        var text = "\(answer.counted) labels counted"
        if answer.repeated > 0 { text += ", \(answer.repeated) of requests that were labelled before" }
        if answer.unknown > 0 {
            text +=
                ", \(answer.unknown) of revisions that have no part in \(id): "
                + answer.unknownRevisions.joined(separator: ", ")
        }
        return text
    }
}
