import Deployments
import Foundation
import Manifests
import Testing

/// The repository that the tests are in.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The files in a folder and those below it, with paths from there.
    static func files(in folder: String) throws -> [SourceFile] {
        let folder = Self.root.appending(path: folder)
        let enumerator = try #require(FileManager.default.enumerator(atPath: folder.path))
        return try enumerator.compactMap { $0 as? String }.sorted().compactMap { path in
            let url = folder.appending(path: path)
            guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { return nil }
            return SourceFile(path: path, blob: "", bytes: Array(try Data(contentsOf: url)))
        }
    }
}

struct ShippedManifestsTests {
    @Test
    func `the runtimes that ship have no problems`() throws {
        let files = try Repository.files(in: "manifests/runtimes")
        #expect(!files.isEmpty)
        #expect(ManifestReader(library: files).libraryDiagnostics.map(\.description) == [])
    }

    @Test
    func `the example is served as it is`() throws {
        let reader = ManifestReader(library: try Repository.files(in: "manifests/runtimes"))
        let files = try Repository.files(in: "examples/file-type/deployments")
        let state = reader.read(files, origin: Fixture.origin)
        #expect(state.diagnostics.map(\.description) == [])
        #expect(state.deployments.count == 1)
        #expect(state.deployments.allSatisfy { !$0.golden.isEmpty })
    }
}
