import ControllerCommands
import Deployments
import Foundation
import Git
import IdentityProviders
import Logging
import Manifests
import MetricProviders
import ModelRegistries
import Reconciliation
import Transport

/// What the controller needs of others: each is asked as the controller would, with its deadline.
struct RemoteChecks: Sendable {
    let configuration: Configuration
    let client: HTTPClient

    /// In the order of the configuration.
    func findings() async -> [Finding] {
        await withTaskGroup(of: (Int, [Finding]).self) { group in
            let repositories = self.configuration.repositories
            for (index, repository) in repositories.enumerated() {
                group.addTask { (index, await self.check(repository)) }
            }
            let providers = self.configuration.providers.filter { $0.kind == .prometheus }
            for (index, provider) in providers.enumerated() {
                group.addTask { (repositories.count + index, [await self.check(provider)]) }
            }
            if let oidc = self.configuration.api?.oidc {
                group.addTask { (Int.max - 1, [await self.check(oidc)]) }
            }
            if let registry = self.configuration.modelRegistry {
                group.addTask { (Int.max, [await self.check(registry)]) }
            }
            var found: [(Int, [Finding])] = []
            for await result in group { found.append(result) }
            return found.sorted { $0.0 < $1.0 }.flatMap(\.1)
        }
    }

    /// Reads the whole repository into a folder of its own, and its manifests.
    private func check(_ repository: Configuration.Repository) async -> [Finding] {
        let subject = "git \(repository.name)"
        let folder = FileManager.default.temporaryDirectory.appending(path: "controller-doctor-\(UUID().uuidString)")
        // What stays behind is in the temporary folder.
        defer { try? FileManager.default.removeItem(at: folder) }
        let git = GitRepository(
            configuration: GitRepositoryConfiguration(repository),
            storage: folder.path,
            logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() }
        )
        let snapshot: SourceSnapshot?
        do throws(SourceError) {
            snapshot = try await git.poll()
        } catch {
            return [.error(subject, error.message)]
        }
        guard let snapshot else { return [.error(subject, "there is no commit to read")] }
        let place = "\(snapshot.origin.branch) at \(snapshot.origin.commit.prefix(10))"
        let library: [SourceFile]
        do {
            library = try ShippedRuntimes.read(self.configuration.runtimes)
        } catch {
            // What ails the runtimes is told of them; without them every manifest would be wrong.
            return [.ok(subject, "\(place), its manifests are not looked at without the runtimes")]
        }
        let state = ManifestReader(library: library).read(snapshot.files, origin: snapshot.origin)
        let errors = state.diagnostics.filter { $0.severity == .error }
        return [.ok(subject, "\(place), \(state.deployments.count) deployments")]
            + errors.prefix(3).map { .warning(subject, "\($0)") }
            + (errors.count > 3
                ? [.warning(subject, "and \(errors.count - 3) more: `controller validate` shows them")] : [])
    }

    private func check(_ provider: Configuration.Provider) async -> Finding {
        let subject = "metrics \(provider.name)"
        let prometheus = PrometheusProvider(
            name: provider.name,
            baseURL: provider.url,
            timeout: provider.timeout,
            tokenFile: provider.tokenFile,
            client: self.client
        )
        let now = Timestamp(milliseconds: Int64(Date().timeIntervalSince1970 * 1000))
        return switch await prometheus.reading(of: "vector(1)", at: now).answer {
        case .value, .noData, .notANumber: .ok(subject, "\(provider.url) answers")
        case .refused(let why), .unavailable(let why): .error(subject, why)
        }
    }

    private func check(_ oidc: Configuration.OIDC) async -> Finding {
        let provider = OpenIDProvider(
            configuration: OpenIDConfiguration(oidc),
            client: self.client,
            logger: Logger(label: "doctor") { _ in SwiftLogNoOpLogHandler() },
            now: { Date() }
        )
        do throws(OpenIDError) {
            return .ok("identity provider", "\(oidc.issuer) publishes \(try await provider.check()) keys")
        } catch {
            return .error("identity provider", "\(oidc.issuer): \(error)")
        }
    }

    private func check(_ registry: Configuration.ModelRegistry) async -> Finding {
        let mlflow = MLflowRegistry(configuration: RegistryConfiguration(registry), client: self.client)
        do throws(RegistryError) {
            _ = try await mlflow.aliases(of: "controller-doctor")
        } catch {
            // It was asked for a model that there is hardly.
            guard error.code != .notFound else { return .ok("model registry", "\(registry.url) answers") }
            return .error("model registry", error.message)
        }
        return .ok("model registry", "\(registry.url) answers")
    }
}
