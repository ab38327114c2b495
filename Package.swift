// swift-tools-version: 6.2

import PackageDescription

// Reading order: the rings of the architecture, innermost first. A target may depend on its own ring and on
// rings above it, never on one below. Dependencies: ours first, then others, each sorted.

let package = Package(
    name: "controller",
    products: [
        .executable(name: "controller", targets: ["controller"]),
        .executable(name: "core-benchmark", targets: ["core-benchmark"]),
        .executable(name: "judging-benchmark", targets: ["judging-benchmark"]),
        .executable(name: "simulate", targets: ["simulate"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // MARK: - Core: values in, values out. No I/O, no clock, no randomness, no async.

        .target(
            name: "Deployments",
            path: "Sources/Core/Deployments"
        ),
        .target(
            name: "Manifests",
            dependencies: ["CYaml", "Deployments", .product(name: "Crypto", package: "swift-crypto")],
            path: "Sources/Core/Manifests"
        ),
        .target(
            name: "Analysis",
            dependencies: ["Deployments", .product(name: "RealModule", package: "swift-numerics")],
            path: "Sources/Core/Analysis"
        ),
        .target(
            name: "Answers",
            dependencies: ["Deployments"],
            path: "Sources/Core/Answers"
        ),
        .target(
            name: "Rollouts",
            dependencies: ["Analysis", "Deployments"],
            path: "Sources/Core/Rollouts"
        ),
        .target(
            name: "Planning",
            dependencies: ["Deployments", "Rollouts"],
            path: "Sources/Core/Planning"
        ),

        // MARK: - Engine: the reconcile loop, its ports, what it decided, and a deterministic world to run it in.

        .target(
            name: "Decisions",
            dependencies: ["Deployments", "Planning", "Rollouts", .product(name: "Crypto", package: "swift-crypto")],
            path: "Sources/Engine/Decisions"
        ),
        .target(
            name: "Reconciliation",
            dependencies: [
                "Analysis", "Decisions", "Deployments", "Manifests", "Planning", "Rollouts",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Engine/Reconciliation"
        ),
        .target(
            name: "Audits",
            dependencies: [
                "Deployments",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Engine/Audits"
        ),
        .target(
            name: "Simulation",
            dependencies: [
                "Analysis", "Decisions", "Deployments", "Manifests", "Planning", "Reconciliation", "Rollouts",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Engine/Simulation"
        ),

        // MARK: - Adapters: each implements ports of the engine. None imports another, except Transport and those that
        // only bring a server's API to several of them: GitHubApps, ModelRegistries.

        .target(
            name: "Transport",
            dependencies: ["CCurl"],
            path: "Sources/Adapters/Transport"
        ),
        .target(
            name: "Git",
            dependencies: [
                "CLibgit2", "Deployments", "GitHubApps", "Manifests", "Reconciliation", "Transport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            path: "Sources/Adapters/Git"
        ),
        .target(
            name: "ModelRegistries",
            dependencies: ["Deployments", "Transport"],
            path: "Sources/Adapters/ModelRegistries"
        ),
        .target(
            name: "Artifacts",
            dependencies: [
                "CZlib", "Deployments", "ModelRegistries", "Reconciliation", "Transport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Adapters/Artifacts"
        ),
        .target(
            name: "MetricProviders",
            dependencies: ["Deployments", "Reconciliation", "Transport"],
            path: "Sources/Adapters/MetricProviders"
        ),
        .target(
            name: "GitHubApps",
            dependencies: [
                "Transport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            path: "Sources/Adapters/GitHubApps"
        ),
        .target(
            name: "Forges",
            dependencies: ["Deployments", "GitHubApps", "Reconciliation", "Transport"],
            path: "Sources/Adapters/Forges"
        ),
        .target(
            name: "IdentityProviders",
            dependencies: [
                "Transport",
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Sources/Adapters/IdentityProviders"
        ),
        .target(
            name: "Notifications",
            dependencies: [
                "Deployments", "Reconciliation", "Transport", .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Sources/Adapters/Notifications"
        ),
        .target(
            name: "Feedback",
            dependencies: ["Deployments", "Reconciliation", .product(name: "Logging", package: "swift-log")],
            path: "Sources/Adapters/Feedback"
        ),
        .target(
            name: "LocalPlatform",
            dependencies: [
                "Answers", "CSpawn", "Deployments", "Reconciliation", "Transport",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Sources/Adapters/LocalPlatform"
        ),
        .target(
            name: "Persistence",
            dependencies: [
                "Audits", "CZlib", "Decisions", "Deployments", "Reconciliation", "Rollouts",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            path: "Sources/Adapters/Persistence"
        ),

        // MARK: - Surfaces: what people and programs talk to.

        .target(
            name: "ControllerAPI",
            dependencies: ["Deployments", "Transport"],
            path: "Sources/Surfaces/ControllerAPI"
        ),
        .target(
            name: "ControllerWords",
            dependencies: ["ControllerAPI"],
            path: "Sources/Surfaces/ControllerWords"
        ),
        .target(
            name: "ControllerPage",
            dependencies: [
                "ControllerAPI", "ControllerWords", .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Sources/Surfaces/ControllerPage"
        ),
        .target(
            name: "ControllerServer",
            dependencies: [
                "Analysis", "Audits", "ControllerAPI", "ControllerPage", "Deployments", "Planning", "Reconciliation",
                "Rollouts",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdTLS", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Sources/Surfaces/ControllerServer"
        ),
        .target(
            name: "ControllerCommands",
            dependencies: [
                "Analysis", "ControllerAPI", "ControllerWords", "Decisions", "Deployments", "Manifests", "Planning",
                "Rollouts", "Simulation", "Transport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Surfaces/ControllerCommands"
        ),

        // MARK: - The programs. `controller` reads the configuration, wires the adapters to the engine and runs it;
        // the others run the core alone, so that checking it needs no adapter's dependencies.

        .executableTarget(
            name: "controller",
            dependencies: [
                "Artifacts", "Audits", "CDescriptors", "ControllerAPI", "ControllerCommands", "ControllerServer",
                "Deployments",
                "Feedback", "Forges", "Git", "GitHubApps", "IdentityProviders", "LocalPlatform", "Manifests",
                "MetricProviders", "ModelRegistries", "Notifications", "Persistence", "Reconciliation", "Transport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Sources/controller"
        ),
        .executableTarget(
            name: "simulate",
            dependencies: ["Simulation"],
            path: "Sources/simulate",
            // Decisions allocate much: with glibc's malloc the worlds take a sixth longer.
            linkerSettings: [.linkedLibrary("jemalloc")]
        ),
        .executableTarget(
            name: "core-benchmark",
            dependencies: [
                "CYaml", "ControllerAPI", "ControllerServer", "Deployments", "Git", "Manifests", "Reconciliation",
                "Rollouts",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Sources/core-benchmark"
        ),
        .executableTarget(
            name: "judging-benchmark",
            dependencies: ["Analysis", "Deployments"],
            path: "Sources/judging-benchmark"
        ),

        // MARK: - C libraries

        .target(name: "CDescriptors", path: "Sources/Shims/CDescriptors"),
        .target(name: "CSpawn", path: "Sources/Shims/CSpawn"),
        .systemLibrary(
            name: "CCurl",
            path: "Sources/Shims/CCurl",
            pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]
        ),
        .systemLibrary(
            name: "CYaml",
            path: "Sources/Shims/CYaml",
            pkgConfig: "yaml-0.1",
            providers: [.apt(["libyaml-dev"])]
        ),
        .systemLibrary(
            name: "CZlib",
            path: "Sources/Shims/CZlib",
            pkgConfig: "zlib",
            providers: [.apt(["zlib1g-dev"])]
        ),
        .systemLibrary(
            name: "CLibgit2",
            path: "Sources/Shims/CLibgit2",
            pkgConfig: "libgit2",
            providers: [.apt(["libgit2-dev"])]
        ),

        // MARK: - Tests, the mirror of Sources, and what they share

        .target(name: "LoopbackServer", path: "Tests/Support/LoopbackServer"),
        .target(
            name: "SampleStatuses",
            dependencies: ["ControllerAPI"],
            path: "Tests/Support/SampleStatuses"
        ),
        .target(
            name: "FakeMLflow",
            dependencies: ["LoopbackServer", "Transport"],
            path: "Tests/Support/FakeMLflow"
        ),

        .testTarget(name: "DeploymentsTests", dependencies: ["Deployments"], path: "Tests/Core/DeploymentsTests"),
        .testTarget(
            name: "ManifestsTests",
            dependencies: ["Deployments", "Manifests"],
            path: "Tests/Core/ManifestsTests"
        ),
        .testTarget(
            name: "AnalysisTests",
            dependencies: ["Analysis", "Deployments"],
            path: "Tests/Core/AnalysisTests",
            exclude: ["Vectors"]
        ),
        .testTarget(
            name: "AnswersTests",
            dependencies: ["Answers", "Deployments"],
            path: "Tests/Core/AnswersTests"
        ),
        .testTarget(
            name: "RolloutsTests",
            dependencies: ["Analysis", "Deployments", "Planning", "Rollouts"],
            path: "Tests/Core/RolloutsTests"
        ),
        .testTarget(
            name: "PlanningTests",
            dependencies: ["Analysis", "Deployments", "Planning", "Rollouts"],
            path: "Tests/Core/PlanningTests"
        ),
        .testTarget(
            name: "DecisionsTests",
            dependencies: [
                "Analysis", "Decisions", "Deployments", "Planning", "Reconciliation", "Rollouts", "Simulation",
            ],
            path: "Tests/Engine/DecisionsTests",
            exclude: ["Golden"]
        ),
        .testTarget(
            name: "ReconciliationTests",
            dependencies: [
                "Analysis", "Decisions", "Deployments", "Manifests", "Planning", "Reconciliation", "Rollouts",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Engine/ReconciliationTests"
        ),
        .testTarget(
            name: "SimulationTests",
            dependencies: [
                // The program itself, so that it is built before the tests that run it.
                "simulate",
                "Analysis", "Deployments", "Planning", "Reconciliation", "Rollouts", "Simulation",
            ],
            path: "Tests/Engine/SimulationTests"
        ),
        .testTarget(
            name: "ScenarioTests",
            dependencies: ["Deployments", "Reconciliation", "Rollouts", "Simulation"],
            path: "Tests/Scenarios",
            exclude: ["Golden"]
        ),
        .testTarget(
            name: "TransportTests",
            dependencies: ["LoopbackServer", "Simulation", "Transport"],
            path: "Tests/Adapters/TransportTests"
        ),
        .testTarget(
            name: "GitTests",
            dependencies: [
                "Deployments", "Git", "GitHubApps", "LoopbackServer", "Manifests", "Reconciliation",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            path: "Tests/Adapters/GitTests",
            exclude: ["Fixtures"]
        ),
        .testTarget(
            name: "ModelRegistriesTests",
            dependencies: ["Deployments", "FakeMLflow", "LoopbackServer", "ModelRegistries", "Transport"],
            path: "Tests/Adapters/ModelRegistriesTests"
        ),
        .testTarget(
            name: "ArtifactsTests",
            dependencies: [
                "Artifacts", "Deployments", "FakeMLflow", "LoopbackServer", "ModelRegistries", "Reconciliation",
                "Transport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Adapters/ArtifactsTests"
        ),
        .testTarget(
            name: "MetricProvidersTests",
            dependencies: ["Deployments", "LoopbackServer", "MetricProviders", "Reconciliation", "Transport"],
            path: "Tests/Adapters/MetricProvidersTests"
        ),
        .testTarget(
            name: "ForgesTests",
            dependencies: [
                "Deployments", "Forges", "GitHubApps", "LoopbackServer", "Reconciliation", "Transport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ],
            path: "Tests/Adapters/ForgesTests"
        ),
        .testTarget(
            name: "IdentityProvidersTests",
            dependencies: [
                "IdentityProviders", "LoopbackServer", "Transport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Adapters/IdentityProvidersTests"
        ),
        .testTarget(
            name: "NotificationsTests",
            dependencies: [
                "Deployments", "LoopbackServer", "Notifications", "Reconciliation", "Transport",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Tests/Adapters/NotificationsTests",
            exclude: ["Fixtures"]
        ),
        .testTarget(
            name: "FeedbackTests",
            dependencies: [
                "Deployments", "Feedback", "Reconciliation", .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Adapters/FeedbackTests"
        ),
        .testTarget(
            name: "LocalPlatformTests",
            dependencies: [
                "CDescriptors", "CSpawn", "Deployments", "LocalPlatform", "LoopbackServer", "Reconciliation",
                "Transport",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/Adapters/LocalPlatformTests",
            exclude: ["Envoy/Golden", "Fixtures"]
        ),
        .testTarget(
            name: "AuditsTests",
            dependencies: [
                "Audits", "Deployments",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Tests/Engine/AuditsTests"
        ),
        .testTarget(
            name: "PersistenceTests",
            dependencies: [
                "Analysis", "Audits", "Decisions", "Deployments", "Persistence", "Reconciliation", "Rollouts",
                "Simulation",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            path: "Tests/Adapters/PersistenceTests"
        ),
        .testTarget(
            name: "ControllerPageTests",
            dependencies: ["ControllerAPI", "ControllerPage", "ControllerWords", "SampleStatuses"],
            path: "Tests/Surfaces/ControllerPageTests"
        ),
        .testTarget(
            name: "ControllerServerTests",
            dependencies: [
                "Analysis", "Audits", "ControllerAPI", "ControllerPage", "ControllerServer", "Decisions",
                "Deployments", "Persistence", "Reconciliation", "Rollouts", "SampleStatuses", "Simulation",
                "Transport",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Tests/Surfaces/ControllerServerTests",
            exclude: ["Metrics/Alerts"]
        ),
        .testTarget(
            name: "ControllerCommandsTests",
            dependencies: [
                "Audits", "ControllerAPI", "ControllerCommands", "ControllerServer", "ControllerWords", "Decisions",
                "Deployments", "Manifests", "Persistence", "Reconciliation", "Rollouts", "SampleStatuses",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Tests/Surfaces/ControllerCommandsTests",
            exclude: ["Golden"]
        ),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                // The program itself, so that it is built before the tests that run it.
                "controller", "ControllerAPI", "Deployments", "FakeMLflow", "LoopbackServer", "Simulation",
                "Transport",
                .product(name: "Subprocess", package: "swift-subprocess"),
            ],
            path: "Tests/Integration",
            exclude: ["Fixtures"]
        ),
        .testTarget(name: "TidyTests", path: "Tests/TidyTests"),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]
}
