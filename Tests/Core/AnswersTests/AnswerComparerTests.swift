import Answers
import Deployments
import Testing

struct AnswerComparerTests {
    private static func difference(
        _ stable: String,
        _ canary: String,
        _ rule: AnswerRule = AnswerRule(method: .exact)
    ) -> AnswerDifference? {
        AnswerComparer(rule: rule).difference(
            stable: ServedAnswer(status: 200, body: Array(stable.utf8)),
            canary: ServedAnswer(status: 200, body: Array(canary.utf8))
        )
    }

    private static func numeric(_ tolerance: Double = 0.001, ignoring paths: String...) -> AnswerRule {
        AnswerRule(method: .numeric, tolerance: tolerance, ignored: paths.compactMap { AnswerPath($0) })
    }

    @Test(arguments: [
        ("plain", "plain"), ("", ""), (#"{"a":1,"b":[2]}"#, "{ \"b\" : [ 2 ],\n\t\"a\": 1 }"),
        (#"{"a":1}"#, #"{"a":1.0}"#), ("[100]", "[1e2]"), ("[0]", "[-0.0]"), (#"["é"]"#, #"["\u00e9"]"#),
        (#"["😀"]"#, #"["\uD83D\uDE00"]"#), (#"["a/b"]"#, #"["a\/b"]"#), ("[NaN]", "[ NaN ]"),
        ("[-Infinity,Infinity]", "[ -Infinity,Infinity]"), (#"["\ud800"]"#, #"[ "\uD800"]"#),
        ("[12345678901234567890]", "[ 12345678901234567890 ]"), ("[1e999]", "[ 1e999]"),
    ])
    func `answers that say the same are the same`(stable: String, canary: String) {
        #expect(Self.difference(stable, canary) == nil)
    }

    @Test(arguments: [
        ("plain", "plein", "body", "plain", "plein"),
        (#"{"a":1}"#, "", "body", #"{"a":1}"#, ""),
        (#"{"a":{"b":[1,2]}}"#, #"{"a":{"b":[1,3]}}"#, "a.b[1]", "2", "3"),
        (#"{"a":1}"#, #"{"a":1,"b":null}"#, "b", "nothing", "null"),
        (#"{"a":1}"#, "{}", "a", "1", "nothing"),
        ("[1,2]", "[1]", "body", "2 elements", "1 elements"),
        ("[true]", "[1]", "[0]", "true", "1"),
        ("[1]", #"["1"]"#, "[0]", "1", #""1""#),
        ("[NaN]", "[0]", "[0]", "NaN", "0"),
        ("[1.0]", "[1.0000001]", "[0]", "1.0", "1.0000001"),
        ("[12345678901234567890]", "[12345678901234567891]", "[0]", "12345678901234567890", "12345678901234567891"),
        ("[1e999]", "[1e998]", "[0]", "1e999", "1e998"),
        // The same to people, composed and decomposed, and not the same bytes.
        ("[\"\u{e9}\"]", "[\"e\u{301}\"]", "[0]", "\"\u{e9}\"", "\"e\u{301}\""),
        ("{\"\u{e9}\":1}", "{\"e\u{301}\":1}", "e\u{301}", "nothing", "1"),
        (#"["\ud800"]"#, #"["\udfff"]"#, "[0]", "\"\u{fffd}\u{fffd}\u{fffd}\"", "\"\u{fffd}\u{fffd}\u{fffd}\""),
        // What is not JSON is compared as it is, two members of one name included.
        (#"{"a":1,"a":2}"#, #"{ "a":1,"a":2}"#, "body", #"{"a":1,"a":2}"#, #"{ "a":1,"a":2}"#),
        ("[01]", "[ 01]", "body", "[01]", "[ 01]"), ("[1]x", "[ 1]x", "body", "[1]x", "[ 1]x"),
        ("[1,]", "[1, ]", "body", "[1,]", "[1, ]"),
        ("[\"\u{1}\"]", "[ \"\u{1}\"]", "body", "[\"\u{fffd}\"]", "[ \"\u{fffd}\"]"),
    ])
    func `answers that differ say where`(stable: String, canary: String, place: String, before: String, after: String) {
        let difference = Self.difference(stable, canary)
        #expect(difference?.place.unicodeScalars.elementsEqual(place.unicodeScalars) == true, "\(difference as Any)")
        #expect(difference?.stable == before)
        #expect(difference?.canary == after)
    }

    @Test
    func `another status is a difference, whatever the bodies`() {
        let comparer = AnswerComparer(rule: Self.numeric())
        let difference = comparer.difference(
            stable: ServedAnswer(status: 200, body: [1]),
            canary: ServedAnswer(status: 503, body: [1])
        )
        #expect(difference == AnswerDifference(place: "status", stable: "200", canary: "503"))
    }

    @Test(arguments: [
        ("[1.0]", "[1.0009]", true), ("[1.0]", "[1.0011]", false), ("[0]", "[-0.001]", true),
        ("[1000000]", "[1000999]", true), ("[1000000]", "[1001002]", false), ("[-1]", "[1]", false),
        ("[NaN]", "[NaN ]", true), ("[NaN]", "[1]", false), ("[Infinity]", "[1e999]", false),
        ("[1e999]", "[2e999]", false), ("[true]", "[1]", false), (#"["1.0"]"#, #"["1.0001"]"#, false),
        (#"{"b":1.0,"a":"x"}"#, #"{"a":"x","b":1.0001}"#, true), ("1.0000", "1.0001", true),
        ("1.0 s", "1.0001 s", false),
    ])
    func `numbers may differ a little, all else may not`(stable: String, canary: String, isSame: Bool) {
        #expect((Self.difference(stable, canary, Self.numeric()) == nil) == isSame)
    }

    @Test
    func `places to ignore are ignored there and nowhere else`() {
        let stable = #"{"id":"1","model_version":"3.2","outputs":[{"name":"x","id":1}],"time":{"ms":5}}"#
        let canary = #"{"model_version":"3.3","outputs":[{"name":"x","id":2}],"time":{"ms":6}}"#
        let all = Self.numeric(0, ignoring: "id", "model_version", "outputs[].id", "time.ms")
        #expect(Self.difference(stable, canary, all) == nil)
        let second = Self.difference(stable, canary, Self.numeric(0, ignoring: "id", "outputs[0].id", "time"))
        #expect(second?.place == "model_version")
        let third = Self.difference(stable, canary, Self.numeric(0, ignoring: "id", "model_version", "outputs[1].id"))
        #expect(third?.place == "outputs[0].id")
    }

    @Test(arguments: [
        ("[0.1,0.7,0.2]", "[0.3,0.4,0.3]", nil), ("[0.1,0.7,0.2]", "[0.5,0.4,0.1]", "outputs[0].data"),
        ("[0.5,0.5]", "[0.5,0.4]", nil), ("[NaN,0.1]", "[0.0,0.1]", nil), ("[NaN,NaN]", "[NaN,NaN,NaN]", nil),
        (#"["cat"]"#, #"["cat"]"#, nil), (#"["cat"]"#, #"["dog"]"#, "outputs[0].data"),
        ("[[0.1,0.9],[0.8,0.2]]", "[[0.4,0.6],[0.9,0.1]]", nil),
        ("[[0.1,0.9],[0.8,0.2]]", "[[0.4,0.6],[0.1,0.9]]", "outputs[0].data, row 1"),
        ("[[0.1,0.9],[0.8,0.2]]", "[[0.4,0.6]]", "outputs[0].data"),
        // One number is a label, not a row of scores of which it is always the largest.
        ("[3]", "[3.0]", nil), ("[3]", "[7]", "outputs[0].data"),
        ("[1e999,2]", "[3,2]", nil),
    ])
    func `labels are compared, not the scores that lead to them`(stable: String, canary: String, place: String?) {
        let answer = { (data: String, version: String) in
            #"{"model_version":"\#(version)","outputs":[{"name":"y","data":\#(data)}]}"#
        }
        let difference = Self.difference(answer(stable, "1"), answer(canary, "2"), AnswerRule(method: .label))
        #expect(difference?.place == place)
    }

    @Test
    func `scores of a batch are split into rows by their shape`() {
        let answer = { (data: String) in #"{"outputs":[{"shape":[2,3],"data":\#(data)}]}"# }
        let rule = AnswerRule(method: .label)
        #expect(Self.difference(answer("[9,1,1,2,8,2]"), answer("[7,1,1,2,3,2]"), rule) == nil)
        let difference = Self.difference(answer("[9,1,1,2,8,2]"), answer("[9,1,1,2,3,4]"), rule)
        #expect(
            difference
                == AnswerDifference(place: "outputs[0].data, row 1", stable: "label 1", canary: "label 2")
        )
    }

    @Test
    func `where there are no scores, the whole answers are compared`() {
        let rule = AnswerRule(method: .label, scores: AnswerPath(parts: [.member("prediction")]))
        #expect(Self.difference(#"{"prediction":"a","t":1}"#, #"{"prediction":"a","t":2}"#, rule) == nil)
        #expect(Self.difference(#"{"t":1}"#, #"{"t":2}"#, rule)?.place == "t")
        #expect(Self.difference(#"{"error":"x"}"#, #"{"prediction":"a"}"#, rule)?.place == "error")
        #expect(Self.difference("a", "b", rule)?.place == "body")
    }

    @Test
    func `what is too deep or too much is compared as bytes, and overflows nothing`() {
        let deep = { (space: String) in
            String(repeating: "[", count: 5000) + space + String(repeating: "]", count: 5000)
        }
        #expect(Self.difference(deep(""), deep(" "))?.place == "body")
        #expect(Self.difference(deep(""), deep("")) == nil)
        let wide = { (space: String) in "[\(space)" + String(repeating: "0,", count: 250_000) + "0]" }
        #expect(Self.difference(wide(""), wide(" "))?.place == "body")
        let allowed = { (space: String) in "[\(space)" + String(repeating: "0,", count: 150_000) + "0]" }
        #expect(Self.difference(allowed(""), allowed(" ")) == nil)
    }

    @Test
    func `an example is short and has no control characters`() throws {
        let difference = try #require(
            Self.difference(
                "[\"\(String(repeating: "a", count: 10_000))\"]",
                #"["\u001b[31m\u202e"]"#
            )
        )
        #expect(difference.stable.unicodeScalars.count == AnswerDifference.longestText)
        #expect(difference.stable.hasSuffix("…"))
        #expect(difference.canary == "\"\u{fffd}[31m\u{fffd}\"")
        #expect("\(difference)".hasPrefix("[0]: stable \"aaa"))
    }
}

struct AnswerPathTests {
    @Test(arguments: ["id", "outputs[0].data", "outputs[].parameters.x", "[0][1]", "[].id", "a-b.c d"])
    func `a path is written as it was read`(text: String) {
        #expect(AnswerPath(text)?.description == text)
    }

    @Test(arguments: [
        "", ".", "a.", ".a", "a..b", "a[", "a]", "a[x]", "a[-1]", "a[0", "a[0]b", "a.[0]", "a[99999999999999999999]",
        "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q",
    ])
    func `what is no path is none`(text: String) {
        #expect(AnswerPath(text) == nil)
    }
}
