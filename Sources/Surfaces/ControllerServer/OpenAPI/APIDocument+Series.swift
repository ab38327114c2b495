extension APIDocument {
    static let seriesSchemas = [
        ObjectSchema(
            "SeriesStatus",
            "What the gates of a rollout measured over time, and how the traffic was split.",
            [
                .always("deployment", .text), .always("canary", .text), .maybe("stable", .text),
                .always("pointSeconds", .number, "The least time between two points."),
                .always("traffic", .list(of: .reference("SeriesTraffic"))),
                .always("gates", .list(of: .reference("SeriesGate"))),
            ]
        ),
        ObjectSchema(
            "SeriesTraffic",
            "Percent of the requests at a moment.",
            [.always("time", .time), .always("canary", .percent), .always("stable", .percent)]
        ),
        ObjectSchema(
            "SeriesGate",
            "A gate that compares counters.",
            [
                .always("name", .text), .always("counts", .text), .always("limit", .text),
                .always("points", .list(of: .reference("SeriesPoint"))),
            ]
        ),
        ObjectSchema(
            "SeriesPoint",
            "What a gate knew at a moment.",
            [
                .always("time", .time), .always("step", .count), .always("outcome", .text),
                .maybe("canary", .reference("SeriesShare")), .maybe("stable", .reference("SeriesShare")),
                .maybe("limit", .share, "The largest share that the canary may have."),
                .always("breachEvidence", .share), .always("safeEvidence", .share),
            ]
        ),
        ObjectSchema(
            "SeriesShare",
            "Bad requests per request since the step began, with 95 percent confidence.",
            [
                .always("value", .share), .always("lower", .share), .always("upper", .share),
                .always("requests", .count),
            ]
        ),
    ]
}
