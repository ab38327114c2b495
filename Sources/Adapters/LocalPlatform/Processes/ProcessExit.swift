/// How a process ended.
package enum ProcessExit: Hashable, Codable, Sendable {
    case code(Int32)
    case signal(Int32)
    /// It ended while another process was its parent, on a kernel that tells only parents how (before Linux 6.15).
    case unknown
}

extension ProcessExit: CustomStringConvertible {
    package var description: String {
        switch self {
        case .code(let code):
            return "exit code \(code)"
        case .signal(let number):
            guard let signal = Self.signals[number] else { return "killed by signal \(number)" }
            guard let meaning = signal.meaning else { return "killed by \(signal.name)" }
            return "killed by \(signal.name) (\(meaning))"
        case .unknown:
            return "ended with a status that is not known"
        }
    }

    /// The signals that end a process, as Linux numbers them on x86 and ARM.
    private static let signals: [Int32: (name: String, meaning: String?)] = [
        1: ("SIGHUP", "terminal closed"),
        2: ("SIGINT", "interrupted"),
        3: ("SIGQUIT", "quit"),
        4: ("SIGILL", "illegal instruction"),
        5: ("SIGTRAP", "trap"),
        6: ("SIGABRT", "aborted"),
        7: ("SIGBUS", "bus error"),
        8: ("SIGFPE", "arithmetic error"),
        9: ("SIGKILL", nil),
        10: ("SIGUSR1", nil),
        11: ("SIGSEGV", "invalid memory access"),
        12: ("SIGUSR2", nil),
        13: ("SIGPIPE", "broken pipe"),
        14: ("SIGALRM", nil),
        15: ("SIGTERM", nil),
        16: ("SIGSTKFLT", nil),
        24: ("SIGXCPU", "CPU time limit exceeded"),
        25: ("SIGXFSZ", "file size limit exceeded"),
        26: ("SIGVTALRM", nil),
        27: ("SIGPROF", nil),
        29: ("SIGIO", nil),
        30: ("SIGPWR", nil),
        31: ("SIGSYS", "forbidden system call"),
    ]
}
