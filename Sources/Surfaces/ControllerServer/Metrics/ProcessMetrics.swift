import Glibc

/// What every program tells of itself, by the names that Prometheus gives them.
enum ProcessMetrics {
    static func text() -> String {
        var out = MetricText()
        if let fields = Self.stat() {
            let tick = Double(sysconf(Int32(_SC_CLK_TCK)))
            let cpu = "process_cpu_seconds_total"
            out.family(cpu, .counter, "User and system time of the controller, without replicas and router.")
            // utime, stime, starttime and rss: fields 14, 15, 22 and 24 of proc(5), counted from the third here.
            out.sample(cpu, (fields[11] + fields[12]) / tick)
            if let boot = Self.bootTime() {
                out.gauge("process_start_time_seconds", "When the controller started.", boot + fields[19] / tick)
            }
            out.gauge(
                "process_resident_memory_bytes",
                "Memory of the controller that is in use.",
                fields[21] * Double(sysconf(Int32(_SC_PAGESIZE)))
            )
        }
        if let count = Self.openDescriptors() {
            out.gauge("process_open_fds", "File descriptors in use.", Double(count))
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            out.gauge("process_max_fds", "File descriptors that there may be.", Double(limit.rlim_cur))
        }
        return out.text
    }

    /// The numbers of `/proc/self/stat` behind the program's name, which may hold anything.
    private static func stat() -> [Double]? {
        guard let text = Self.read("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[end...].split(separator: " ").dropFirst(2).map { Double($0) ?? 0 }
        return fields.count > 21 ? [0] + fields : nil
    }

    private static func bootTime() -> Double? {
        guard let text = Self.read("/proc/stat") else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("btime ") }
        return line.flatMap { Double($0.dropFirst(6)) }
    }

    private static func openDescriptors() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without `.`, `..` and the one that looks.
        return max(0, count - 3)
    }

    private static func read(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
