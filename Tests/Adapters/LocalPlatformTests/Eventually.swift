/// Looks at a condition until it holds; false when it does not within `limit`, which only a broken test reaches. The
/// limit alone would pass between two looks, when tests that only compute keep all threads busy for minutes: what is
/// waited for has not had its turn then either.
func eventually(within limit: Duration = .seconds(60), _ condition: () async throws -> Bool) async rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    var looks = 0
    while ContinuousClock.now < deadline || looks < 500 {
        if try await condition() { return true }
        if Task.isCancelled { break }
        looks += 1
        // A cancelled test sees its condition once more and ends.
        try? await Task.sleep(for: .milliseconds(20))
    }
    return try await condition()
}
