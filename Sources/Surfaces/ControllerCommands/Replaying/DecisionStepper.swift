import ControllerAPI

/// Shows the decisions of a replay one by one, as somebody at a terminal asks for them: forwards, backwards, and by
/// their number.
struct DecisionStepper {
    let console: Console
    /// The next decision of the file; nothing after the last.
    let next: () throws -> ReplayReport.Step?
    /// What was read so far, to go back to.
    private var seen: [ReplayReport.Step] = []
    private var place = 0
    private var hasEnded = false

    /// Decisions, each of some hundred bytes. A rollout of a day has fewer.
    private static let limit = 100_000

    enum End: Hashable {
        case all
        /// Somebody had seen enough.
        case left
    }

    init(console: Console, next: @escaping () throws -> ReplayReport.Step?) {
        self.console = console
        self.next = next
    }

    /// Goes on until all was seen, or the keyboard says that it is enough.
    ///
    /// - Throws: What reading and printing do.
    mutating func run(keyboard: () -> String?) throws -> End {
        guard try self.read() != nil else { return .all }
        try self.show(0)
        while true {
            self.console.remark("Enter next, p previous, a number, q quit > ")
            guard let line = keyboard() else {
                self.console.remark("\n")
                return .left
            }
            let word = line.split(separator: " ").joined(separator: " ")
            switch word {
            case "q", "quit":
                return .left
            case "":
                if self.place + 1 >= self.seen.count, try self.read() == nil { return .all }
                try self.show(self.place + 1)
            case "p":
                if self.place == 0 { self.console.tell("this is the first one") } else { try self.show(self.place - 1) }
            default:
                guard let number = Int64(word.hasPrefix("#") ? String(word.dropFirst()) : word) else {
                    self.console.tell(StyledText("`\(word)` is none of these"))
                    continue
                }
                try self.jump(to: number)
            }
        }
    }

    /// - Returns: The place of what was read.
    private mutating func read() throws -> Int? {
        guard !self.hasEnded, let step = try self.next() else {
            self.hasEnded = true
            return nil
        }
        if self.seen.count == Self.limit {
            self.seen.removeFirst(Self.limit / 2)
            self.place = max(0, self.place - Self.limit / 2)
        }
        self.seen.append(step)
        return self.seen.count - 1
    }

    /// Those of several deployments are not in the order of their numbers.
    private mutating func jump(to number: Int64) throws {
        if let place = self.seen.firstIndex(where: { $0.number == number }) { return try self.show(place) }
        while let place = try self.read() {
            if self.seen[place].number == number { return try self.show(place) }
        }
        self.console.tell(StyledText("there is no decision #\(number) among these"))
    }

    private mutating func show(_ place: Int) throws {
        self.place = place
        try self.console.print(self.seen[place].lines)
    }
}
