/// A large value on the heap, shared between copies until one of them is written.
struct Shared<Value: Hashable & Sendable>: Hashable, Sendable {
    private final class Box: Sendable {
        let value: Value

        init(_ value: Value) {
            self.value = value
        }
    }

    private var box: Box

    init(_ value: Value) {
        self.box = Box(value)
    }

    /// Looked at in its place: a part of it is read without a copy of the rest.
    var value: Value { _read { yield self.box.value } }

    mutating func write(_ change: (inout Value) -> Void) {
        var value = self.box.value
        change(&value)
        self.box = Box(value)
    }

    /// Copies of one value are equal without a look at it.
    static func == (left: Shared, right: Shared) -> Bool {
        left.box === right.box || left.box.value == right.box.value
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(self.box.value)
    }
}
