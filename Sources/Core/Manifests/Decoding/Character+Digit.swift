extension Character {
    /// One of `0` to `9`; comparing with a range would let digits with combining marks pass.
    var isDecimalDigit: Bool { self.isASCII && self.isWholeNumber }
}
