import ControllerCommands
import ControllerWords
import Foundation
import Testing

@Suite("Text for people")
struct TextTests {
    @Test(arguments: [
        (0, "0s"), (59.9, "59s"), (60, "1m"), (252, "4m12s"), (3600, "1h"), (11_100, "3h5m"), (86_400, "1d"),
        (198_000, "2d7h"), (-5, "0s"), (Double.infinity, "115740d17h"),
    ])
    func `spans have two units`(seconds: Double, text: String) {
        #expect(TimeText.span(seconds) == text)
    }

    @Test
    func `another day's time shows its date`() {
        let now = Date(timeIntervalSince1970: 1_795_444_866)
        #expect(TimeText.clock(now, now: now) == "14:41:06Z")
        #expect(TimeText.clock(now.addingTimeInterval(-86_400), now: now) == "2026-11-22 14:41:06Z")
    }

    @Test(arguments: [
        (0, "░░░░░░░░░░ 0 %"), (0.42, "████░░░░░░ 42 %"), (0.999, "█████████░ 99 %"), (1, "██████████ decided"),
        (7, "██████████ decided"), (-1, "░░░░░░░░░░ 0 %"), (Double.nan, "unknown"),
    ])
    func `a meter is full only when the evidence decides`(evidence: Double, text: String) {
        #expect(Meter.render(evidence, style: .green).rendered(colour: false) == text)
    }

    @Test
    func `wide characters count as two columns`() {
        #expect(StyledText("模型").width == 4)
        #expect(StyledText("模型x").truncated(to: 4).rendered(colour: false) == "模…")
        #expect(StyledText("e\u{301}").width == 1)
    }

    @Test
    func `sentences wrap at blanks`() {
        #expect(TerminalText.wrapped("one two three", columns: 7) == ["one two", "three"])
        #expect(TerminalText.wrapped("unbreakable x", columns: 4) == ["unbreakable", "x"])
    }

    @Test(arguments: [
        (#"{"a": "yes"}"#, "a: \"yes\"\n"), (#"{"a": "3.4"}"#, "a: \"3.4\"\n"),
        (#"{"a": "plain text"}"#, "a: plain text\n"),
        (#"{"a": 1, "b": 1.5, "c": true, "d": null}"#, "a: 1\nb: 1.5\nc: true\nd: null\n"),
        (#"{"a": [], "b": {}, "c": ""}"#, "a: []\nb: {}\nc: \"\"\n"),
        (#"{"a": [{"b": 1, "c": [1, [2]]}, "x"]}"#, "a:\n- b: 1\n  c:\n  - 1\n  - - 2\n- x\n"),
        (#"{"a": "x: y # z"}"#, "a: \"x: y # z\"\n"), (#"{"a": "trailing "}"#, "a: \"trailing \"\n"),
        (#"{"a": "q\"\\\n"}"#, "a: \"q\\\"\\\\\\n\"\n"), ("[]", "[]\n"), (#"{"a": 1e3}"#, "a: 1000\n"),
    ])
    func `YAML is plain only where nothing else can be meant`(json: String, yaml: String) throws {
        let tree = try JSONDecoder().decode(JSONTree.self, from: Data(json.utf8))
        #expect(YAMLText.render(tree) == yaml)
    }
}
