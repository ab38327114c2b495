/// The way from a document to one of its values. Written out only for who reads of a problem: most values have none.
struct ValuePath: Sendable {
    /// The list or mapping that the value is in; nothing for the document.
    private let container: Container?
    private let step: Step

    private enum Step: Sendable {
        case member(String)
        case item(Int)
    }

    /// One for all values of a list or mapping.
    final class Container: Sendable {
        fileprivate let path: ValuePath

        fileprivate init(path: ValuePath) {
            self.path = path
        }

        func member(_ key: String) -> ValuePath { ValuePath(container: self, step: .member(key)) }
        func item(_ index: Int) -> ValuePath { ValuePath(container: self, step: .item(index)) }
    }

    static let document = ValuePath(container: nil, step: .item(0))

    var asContainer: Container { Container(path: self) }

    /// `spec.rollout.steps[0].weight`; empty for the document.
    var text: String {
        guard let container = self.container else { return "" }
        let before = container.path.text
        switch self.step {
        case .item(let index): return "\(before)[\(index)]"
        case .member(let key):
            let key = key.printable(limit: 60)
            return before.isEmpty ? key : "\(before).\(key)"
        }
    }
}

/// Where a value stands, for what turns out to be wrong with it when its document is long read.
struct Site: Sendable {
    var path: ValuePath
    var position: TextPosition
}
