import Deployments
import Manifests
import Testing

struct QuantityTests {
    @Test(arguments: [
        ("30s", 30_000), ("5m", 300_000), ("1h30m", 5_400_000), ("250ms", 250), ("30d", 2_592_000_000), ("0", 0),
        ("0s", 0), ("1d2h3m4s5ms", 93_784_005),
    ])
    func `durations are whole numbers with units`(text: String, milliseconds: Int64) {
        #expect(Quantity.duration(text) == .milliseconds(milliseconds))
    }

    @Test(arguments: [
        "", "30", "s", "1.5h", "5m1h", "5m5m", "-5s", "5 s", "1w", "1S", "9999999999s", "5\u{301}s", "1mss",
    ])
    func `other texts are no durations`(text: String) {
        #expect(Quantity.duration(text) == nil)
    }

    @Test(arguments: [
        ("2Gi", 2_147_483_648), ("512Mi", 536_870_912), ("1.5Gi", 1_610_612_736), ("1G", 1_000_000_000), ("1024", 1024),
        ("0", 0), ("3k", 3000), ("0.5Ki", 512),
    ])
    func `bytes have binary and decimal units`(text: String, bytes: Int64) {
        #expect(Quantity.bytes(text) == bytes)
    }

    @Test(arguments: ["", "Gi", "2gi", "2 Gi", "-1", "0.3", "1.2.3Gi", "99999999999Ti", "1e3", "0x10"])
    func `other texts are no bytes`(text: String) {
        #expect(Quantity.bytes(text) == nil)
    }

    @Test(arguments: [("500m", 500), ("2", 2000), ("0.5", 500), ("1.25", 1250)])
    func `cores are counted in thousandths`(text: String, milli: Int64) {
        #expect(Quantity.milli(text) == milli)
    }

    @Test(arguments: ["", "m", "0.0001", "0.5m", "1k"])
    func `other texts are no cores`(text: String) {
        #expect(Quantity.milli(text) == nil)
    }

    @Test(arguments: ["1h30m", "250ms", "1s500ms", "30d", "0s"])
    func `a duration is written as it is read`(text: String) throws {
        #expect(Quantity.text(try #require(Quantity.duration(text))) == text)
    }
}

struct NearestNameTests {
    @Test(arguments: [("wieght", "weight"), ("Weight", "weight"), ("wight", "weight"), ("gate", "gates")])
    func `a slip of the finger finds what was meant`(written: String, meant: String) {
        #expect(NearestName.of(written, among: ["weight", "approval", "gates", "atMost"]) == meant)
    }

    @Test
    func `something else entirely finds nothing`() {
        #expect(NearestName.of("colour", among: ["weight", "approval"]) == nil)
        #expect(NearestName.hint(for: "colour", among: ["weight", "approval"]) == "known are `approval` and `weight`")
        #expect(NearestName.hint(for: "colour", among: [String]()) == "there is none")
    }

    @Test
    func `untrusted text can't drive a terminal`() {
        #expect("a\u{1B}[31m`\u{202E}b".inBackticks == "`a\\u{1b}[31m'\\u{202e}b`")
        #expect(String(repeating: "x", count: 100).inBackticks.count == 63)
    }
}
