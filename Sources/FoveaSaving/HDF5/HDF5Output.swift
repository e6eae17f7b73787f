/// The bytes of a file that is being written. Everything begins at a multiple of 8.
struct HDF5Output {
    private(set) var bytes: [UInt8] = []

    /// Zeros at the end of what is written.
    ///
    /// - Returns: where they are.
    mutating func allocate(_ byteCount: Int) -> Int {
        bytes.fillToEight()
        let address = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: byteCount.roundedUpToEight))
        return address
    }

    mutating func append(_ content: some Collection<UInt8>) -> Int {
        bytes.fillToEight()
        let address = bytes.count
        bytes.append(contentsOf: content)
        bytes.fillToEight()
        return address
    }

    mutating func put(_ content: [UInt8], at address: Int) {
        bytes.replaceSubrange(address..<address + content.count, with: content)
    }
}

extension [UInt8] {
    /// The lowest bytes of a number that is not negative, little-endian.
    mutating func append(_ number: Int, byteCount: Int) {
        for i in 0..<byteCount { append(UInt8(truncatingIfNeeded: number >> (8 * i))) }
    }

    mutating func fillToEight() {
        append(contentsOf: repeatElement(0, count: count.roundedUpToEight - count))
    }
}

extension Int {
    var roundedUpToEight: Int { (self + 7) / 8 * 8 }
}
