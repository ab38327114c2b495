import Deployments
import Foundation
import Reconciliation
import Testing

@testable import LocalPlatform

/// The exact files; those in `Golden` were accepted by Envoy 1.40.
@Suite("Envoy files")
struct EnvoyFormatTests {
    static let files = EnvoyFiles(directory: "/run/controller/router")

    static func golden(_ name: String) throws -> NSObject {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name).json")
        return try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? NSObject)
    }

    /// Compares as values, for the golden files are laid out for people.
    static func expect(
        _ value: EnvoyValue,
        equals name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let text = String(decoding: value.bytes, as: UTF8.self)
        let object = try JSONSerialization.jsonObject(with: Data(value.bytes)) as? NSObject
        #expect(object == (try Self.golden(name)), "\(name).json is not \(text)", sourceLocation: sourceLocation)
    }

    static func published(
        _ weights: [Revision: Int],
        route: Route,
        canary: Revision? = nil
    ) -> EnvoyLedger.PublishedRoute {
        EnvoyLedger.PublishedRoute(
            route: route,
            traffic: Traffic(weights: weights.mapValues { TrafficWeight(percent: $0) }),
            canary: canary
        )
    }

    @Test
    func `the bootstrap is the one that was tried`() throws {
        try Self.expect(EnvoyBootstrap.bootstrap(Self.files), equals: "bootstrap")
    }

    @Test
    func `the listener is the one that was tried`() throws {
        let listener = EnvoyBootstrap.listener(on: Endpoint(host: "127.0.0.1", port: 8080), files: Self.files)
        try Self.expect(EnvoyBootstrap.response(version: 1, [listener]), equals: "lds")
    }

    @Test
    func `a cluster and its endpoints are those that were tried`() throws {
        let name = EnvoyPlanTests.firstName
        try Self.expect(
            EnvoyBootstrap.response(version: 2, [EnvoyCluster.definition(name, files: Self.files)]),
            equals: "cds"
        )
        let backends = [EnvoyPlanTests.backend(19001), EnvoyPlanTests.backend(19002, draining: true)]
        try Self.expect(
            EnvoyBootstrap.response(version: 3, [EnvoyCluster.assignment(name, to: backends)]),
            equals: "eds"
        )
    }

    @Test
    func `routes are ordered, weighted and named`() throws {
        let routes: [DeploymentID: EnvoyLedger.PublishedRoute] = [
            EnvoyPlanTests.deployment: Self.published(
                [EnvoyPlanTests.first: 90, EnvoyPlanTests.second: 10],
                route: Route(
                    hosts: ["Models.example"],
                    pathPrefix: "/v2/models/file-type/",
                    timeout: .milliseconds(1500),
                    affinityHeader: "x-user"
                ),
                canary: EnvoyPlanTests.second
            ),
            DeploymentID(namespace: "a", name: "all"): Self.published([:], route: Route()),
        ]
        let claims = RouteClaims(routes.mapValues(\.route))
        try Self.expect(
            EnvoyBootstrap.response(version: 4, [EnvoyRoutes.configuration(routes, claims: claims)]),
            equals: "rds"
        )
    }

    @Test
    func `copies go to the canary and, when answers are compared, to the tap`() throws {
        var published = Self.published(
            [EnvoyPlanTests.first: 100],
            route: Route(pathPrefix: "/v2/models/file-type"),
            canary: EnvoyPlanTests.second
        )
        let rule = AnswerRule(method: .label, percent: TrafficWeight(percent: 5))
        published.traffic.mirror = .init(revision: EnvoyPlanTests.second, percent: .all, comparison: rule)
        let routes = [EnvoyPlanTests.deployment: published]
        let claims = RouteClaims(routes.mapValues(\.route))
        try Self.expect(
            EnvoyBootstrap.response(version: 4, [EnvoyRoutes.configuration(routes, claims: claims)]),
            equals: "rds-compared"
        )
        try Self.expect(EnvoyCluster.tapDefinition(Self.files), equals: "tap")
        // A cluster that is always there can be named at once.
        let clusters = EnvoyLedger(bootID: "b").clustersFile(Self.files)
        #expect(String(decoding: clusters, as: UTF8.self).contains("\"name\":\"controller__tap\""))
        published.traffic.mirror?.comparison = nil
        let plain = EnvoyRoutes.configuration([EnvoyPlanTests.deployment: published], claims: claims)
        #expect(!String(decoding: plain.bytes, as: UTF8.self).contains("tap"))
    }

    @Test
    func `names of clusters differ when anything differs and hold no dot`() {
        let names = [("a", "b-c"), ("a-b", "c"), ("a_b", "c"), ("a.b", "c"), ("a", "_b__c"), ("a_", "b"), ("a", "_b")]
            .map { EnvoyCluster.name(DeploymentID(namespace: $0, name: $1), EnvoyPlanTests.first) }
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { !$0.contains(".") && !$0.contains("/") })
        #expect(names[0] == "a__b-c__1111111111")
    }

    @Test
    func `text is escaped and durations have milliseconds`() {
        let value: EnvoyValue = ["a": "q\"\\\n\u{1}é", "b": [1, 0.5, true]]
        #expect(String(decoding: value.bytes, as: UTF8.self) == #"{"a":"q\"\\\u000a\u0001é","b":[1,0.5,true]}"# + "\n")
        #expect(EnvoyValue.duration(.milliseconds(1005)) == "1.005s")
        #expect(EnvoyValue.duration(.seconds(60)) == "60s")
    }
}

@Suite("Route claims")
struct RouteClaimsTests {
    static let a = DeploymentID(namespace: "n", name: "a")
    static let b = DeploymentID(namespace: "n", name: "b")

    @Test
    func `who has a place keeps it, and among newcomers the first by name gets it`() {
        let route = Route(hosts: ["x.example"], pathPrefix: "/m")
        let held = RouteClaims([Self.b: route])
        let contested = RouteClaims([Self.a: route, Self.b: route], previous: held)
        #expect(contested.places[Self.b] == [RouteClaims.Place(host: "x.example", prefix: "/m")])
        #expect(contested.places[Self.a] == nil)
        #expect(contested.refusals[Self.a]?.contains("n/b") == true)
        let fresh = RouteClaims([Self.a: route, Self.b: route])
        #expect(fresh.places.keys.sorted() == [Self.a])
    }

    @Test
    func `the same place in other words is the same place`() {
        let claims = RouteClaims([
            Self.a: Route(hosts: ["X.example", "x.EXAMPLE"], pathPrefix: "/m/"),
            Self.b: Route(hosts: ["x.example"], pathPrefix: "/m"),
        ])
        #expect(claims.places[Self.a]?.count == 1)
        #expect(claims.refusals.keys.sorted() == [Self.b])
    }

    @Test(arguments: [
        Route(hosts: ["a b"]), Route(hosts: [""]), Route(hosts: ["a.*"]), Route(hosts: ["*."]), Route(hosts: ["a/b"]),
        Route(hosts: ["a\nb"]), Route(pathPrefix: ""), Route(pathPrefix: "m"), Route(pathPrefix: "/m?x"),
        Route(pathPrefix: "/m#x"), Route(pathPrefix: "/m n"), Route(pathPrefix: "//"), Route(affinityHeader: ""),
        Route(affinityHeader: ":path"), Route(affinityHeader: "x y"), Route(timeout: .zero),
    ])
    func `what Envoy would refuse is found before it is told`(route: Route) {
        #expect(RouteClaims.problem(in: route) != nil)
    }

    @Test(arguments: [
        Route(), Route(hosts: ["a.example", "*.b.example", "*"]), Route(pathPrefix: "/v2/models/x_y.z~1"),
        Route(affinityHeader: "X-User"),
    ])
    func `what Envoy takes is let through`(route: Route) {
        #expect(RouteClaims.problem(in: route) == nil)
    }
}
