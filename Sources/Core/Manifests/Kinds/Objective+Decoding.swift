import Deployments

extension Shape {
    static let objective = Shape(
        "objective",
        [
            .required("name", "availability"),
            .required("objective", "99.5"),
            .required("indicator", "{availability: {}}"),
            .optional("window", "30d"),
        ]
    )
    static let indicator = Shape(
        "indicator",
        [.optional("availability", "{}"), .optional("latency", "{below: 250ms}")],
        unavailable: ["ratio": "watch the query with an AnalysisTemplate of kind `threshold`, named in `gates`"]
    )
    static let availability = Shape("availability", [])
    static let latency = Shape("latency", [.required("below", "250ms")])
}

extension Objective {
    static func list(decoding fields: [Field]) -> [Objective] {
        var objectives: [Objective] = []
        for field in fields {
            guard let objective = Objective(decoding: field) else { continue }
            if objectives.contains(where: { $0.name == objective.name }) {
                field.error("there are two objectives named \(objective.name.inBackticks): rename or remove one")
            }
            objectives.append(objective)
        }
        return objectives
    }

    private init?(decoding field: Field) {
        guard let members = field.members(of: .objective) else { return nil }
        let percent = members["objective"]?.number() ?? 99
        if !(percent > 0 && percent < 100) {
            members["objective"]?.expected("a percentage above 0 and below 100")
        }
        let windows: ClosedRange<Duration> = .minutes(1) ... .hours(24 * 365)
        let name = members["name"]?.label()
        let indicator = members["indicator"]?.members(of: .indicator).flatMap { Indicator(decoding: $0) }
        let window = members["window"].map { $0.duration(in: windows) } ?? .hours(24 * 30)
        guard let name, let indicator, let window else { return nil }
        self.init(name: name, percent: percent, indicator: indicator, window: window)
    }
}

extension Indicator {
    fileprivate init?(decoding members: Members) {
        switch members.exactlyOne(of: ["availability", "latency"]) {
        case "availability":
            guard members["availability"]?.members(of: .availability) != nil else { return nil }
            self = .availability
        case "latency":
            let bounds: ClosedRange<Duration> = .milliseconds(1) ... .hours(1)
            let below = members["latency"]?.members(of: .latency)?["below"]?.duration(in: bounds)
            guard let below else { return nil }
            self = .latency(below: below)
        default: return nil
        }
    }
}
