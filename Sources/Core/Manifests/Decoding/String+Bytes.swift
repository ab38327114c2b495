extension String {
    /// Whether all bytes of its UTF-8 are such. Most texts lie in memory in one piece, and are read there.
    @inline(__always)
    func hasOnly(_ isSuch: (UInt8) -> Bool) -> Bool {
        self.utf8.withContiguousStorageIfAvailable { $0.allSatisfy(isSuch) } ?? self.utf8.allSatisfy(isSuch)
    }
}

extension UInt8 {
    /// One of `0` to `9`.
    var isDecimalDigit: Bool { self &- UInt8(ascii: "0") < 10 }
}
