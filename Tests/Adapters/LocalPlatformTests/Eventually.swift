/// Looks at a condition until it holds; false when it does not within `limit`, which only a broken test reaches.
func eventually(within limit: Duration = .seconds(60), _ condition: () async throws -> Bool) async rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        // A cancelled test sees its condition once more and ends.
        try? await Task.sleep(for: .milliseconds(20))
    }
    return try await condition()
}
