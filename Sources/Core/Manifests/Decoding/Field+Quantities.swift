import Deployments

extension Field {
    /// A duration, such as `1h30m`.
    package func duration(in range: ClosedRange<Duration> = .zero ... .hours(24)) -> Duration? {
        guard let text = self.node.scalarText, let duration = Quantity.duration(text) else {
            self.expected("a duration with its unit, such as 250ms, 30s, 5m, 1h30m or 30d")
            return nil
        }
        guard range.contains(duration) else {
            let (least, most) = (Quantity.text(range.lowerBound), Quantity.text(range.upperBound))
            self.expected("a duration from \(least) to \(most)")
            return nil
        }
        return duration
    }

    /// Bytes, such as `512Mi`.
    package func bytes(in range: ClosedRange<Int64> = 0...(1 << 50)) -> Int64? {
        guard let text = self.node.scalarText, let bytes = Quantity.bytes(text), range.contains(bytes) else {
            self.expected("a number of bytes, such as 512Mi or 2Gi")
            return nil
        }
        return bytes
    }

    /// Thousandths of a processor core, such as `500m` or `2`.
    package func milliCPU() -> Int? {
        guard let text = self.node.scalarText, let amount = Quantity.milli(text), amount <= 1_000_000 else {
            self.expected("a number of processor cores, such as 2, 0.5 or 500m")
            return nil
        }
        return Int(amount)
    }

    /// Percent, with or without its sign: `100%`.
    package func percentage(in range: ClosedRange<Int>) -> Int? {
        let text = self.node.scalarText.map { $0.hasSuffix("%") ? String($0.dropLast()) : $0 }
        guard let text, Quantity.isDigits(text), let percent = Int(text), range.contains(percent) else {
            self.expected("a percentage from \(range.lowerBound)% to \(range.upperBound)%")
            return nil
        }
        return percent
    }
}
