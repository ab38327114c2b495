import Deployments
import Testing

@Suite
struct VocabularyTests {
    @Test(arguments: [
        (Duration.zero, "0s"), (.milliseconds(250), "250ms"), (.seconds(45), "45s"), (.seconds(5400), "1h30m"),
        (.seconds(3661), "1h1m1s"), (.seconds(-90), "-1m30s"),
    ])
    func `durations read as users write them`(duration: Duration, text: String) {
        #expect(duration.short == text)
    }

    @Test(arguments: [
        ("file-type", "default/file-type"), ("search/file-type", "search/file-type"), ("", nil), ("a/b/c", nil),
        ("/b", nil), ("a/", nil),
    ])
    func `a deployment's name is namespace and name, or a name of the default namespace`(text: String, full: String?) {
        #expect(DeploymentID(text)?.description == full)
    }

    @Test
    func `an unknown or old reading is never fresh`() {
        let seen = Timestamp(milliseconds: 10_000)
        let reading = Reading.known(1, at: seen)
        #expect(reading.fresh(at: seen + .seconds(10), within: .seconds(10)) == 1)
        #expect(reading.fresh(at: seen + .seconds(11), within: .seconds(10)) == nil)
        #expect(reading.last == 1)
        #expect(Reading<Int>.unknown("no answer").fresh(at: seen, within: .seconds(10)) == nil)
    }

    @Test
    func `a histogram counts what is slower than the largest bound within the limit`() {
        let histogram = LatencyHistogram(bounds: [10, 100, 1000], counts: [50, 90, 99], total: 100)
        #expect(histogram.slower(than: 100) == 10)
        #expect(histogram.slower(than: 250) == 10)
        #expect(histogram.slower(than: 5) == nil)
        #expect(histogram.bound(exceededByAtMost: 0.1) == 100)
        #expect(histogram.bound(exceededByAtMost: 0.001) == nil)
        #expect(LatencyHistogram().bound(exceededByAtMost: 0.5) == nil)
    }
}
