import ControllerAPI
import Foundation
import Testing

@Suite("The API's JSON")
struct WireTests {
    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (1_795_000_000.123, "2026-11-18T11:06:40.123Z"),
        (1_795_000_000.9996, "2026-11-18T11:06:41.000Z"), (1_795_000_000.007, "2026-11-18T11:06:40.007Z"),
        (-0.25, "1969-12-31T23:59:59.750Z"),
    ])
    func `times are UTC with milliseconds`(seconds: Double, text: String) {
        #expect(APICoding.text(of: Date(timeIntervalSince1970: seconds)) == text)
    }

    @Test
    func `every millisecond survives the wire`() {
        for millisecond in 0..<1000 {
            let date = Date(timeIntervalSince1970: Double(1_795_000_000_000 + millisecond) / 1000)
            #expect(APICoding.date(of: APICoding.text(of: date)) == date)
        }
    }

    @Test(arguments: [
        "", "now", "2026-11-18", "2026-11-18T11:06:40", "2026-11-18T11:06:40+01:00", "2026-13-18T11:06:40Z",
        "2026-11-18T11:99:40Z", "2026-02-30T11:06:40Z", "2026-11-18T24:00:00Z",
    ])
    func `anything else is no time`(text: String) {
        #expect(APICoding.date(of: text) == nil)
    }

    @Test(arguments: [
        ("default/file-type", "search/file-type"), ("search/file-tpye", "search/file-type"),
        ("serach/file-type", "search/file-type"), ("default/embeder", "default/embedder"),
        ("search/x", nil), ("default/something-else", nil),
    ])
    func `a misspelt name finds what was meant`(name: String, meant: String?) {
        #expect(NearestName.find(name, among: ["default/embedder", "search/file-type"]) == meant)
    }
}
