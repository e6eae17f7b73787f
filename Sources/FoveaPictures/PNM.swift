/// Netpbm's pictures of 1 bit (P1, P4), grey (P2, P5) and colour (P3, P6), plain or binary. Of several in one file the
/// first is read. Samples are scaled from 0…maximum to 0…255 and rounded; binary ones above the maximum are white.
enum PNM {
    static func decode(_ bytes: [UInt8], greatestPixelCount: Int) throws(PictureError) -> StoredPicture {
        var reader = Reader(bytes: bytes)
        let isColor = reader.kind == 3 || reader.kind == 6
        let width = try reader.headerNumber()
        let height = try reader.headerNumber()
        try StoredPicture.check(height: height, width: width, greatestPixelCount: greatestPixelCount)
        let isBitmap = reader.kind == 1 || reader.kind == 4
        let maximum = isBitmap ? 1 : try reader.headerNumber()
        guard (1...65_535).contains(maximum) else {
            throw PictureError(.corrupt, "has a greatest sample of \(maximum), expected 1 to 65535")
        }
        let channels = isColor ? 3 : 1
        let rowLength = width * channels
        let samples =
            switch reader.kind {
            case 1: try reader.plainBits(count: height * width)
            case 4: try reader.bits(height: height, width: width)
            case 2, 3: try reader.plainSamples(count: height * rowLength, maximum: maximum)
            default: try reader.samples(count: height * rowLength, maximum: maximum)
            }
        return StoredPicture(height: height, width: width, channels: channels, samples: samples)
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static let cutShort = PictureError(.truncated, "ends before its last pixel")

    private struct Reader {
        let bytes: [UInt8]
        /// Behind the magic number, whose digit tells the kind.
        var place = 2

        var kind: Int { Int(bytes[1] - UInt8(ascii: "0")) }

        /// A number and the byte that ends it; comments go from # to the end of the line.
        mutating func headerNumber() throws(PictureError) -> Int {
            let number = try number(limit: 1 << 31)
            guard place < bytes.count else { throw PNM.cutShort }
            guard PNM.isSpace(bytes[place]) || bytes[place] == UInt8(ascii: "#") else {
                throw PictureError(.corrupt, "has a header that is not of numbers")
            }
            if bytes[place] == UInt8(ascii: "#") {
                skipComment()
            } else {
                place += 1
            }
            return number
        }

        private mutating func skipComment() {
            while place < bytes.count, bytes[place] != 0x0A, bytes[place] != 0x0D { place += 1 }
            if place < bytes.count { place += 1 }
        }

        private mutating func skipSpace() {
            while place < bytes.count {
                if bytes[place] == UInt8(ascii: "#") {
                    skipComment()
                } else if PNM.isSpace(bytes[place]) {
                    place += 1
                } else {
                    return
                }
            }
        }

        private mutating func number(limit: Int) throws(PictureError) -> Int {
            skipSpace()
            let start = place
            var value = 0
            while place < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place]) {
                value = min(value * 10 + Int(bytes[place] - UInt8(ascii: "0")), limit)
                place += 1
            }
            guard place > start else {
                if place == bytes.count { throw PNM.cutShort }
                throw PictureError(.corrupt, "has something other than a number where one is expected")
            }
            return value
        }

        /// Digits 0 (white) and 1 (black), with or without space between them.
        mutating func plainBits(count: Int) throws(PictureError) -> [UInt8] {
            guard count <= bytes.count - place else { throw PNM.cutShort }
            var samples: [UInt8] = []
            samples.reserveCapacity(count)
            while samples.count < count {
                skipSpace()
                guard place < bytes.count else { throw PNM.cutShort }
                let bit = bytes[place] &- UInt8(ascii: "0")
                guard bit <= 1 else { throw PictureError(.corrupt, "has bits other than 0 and 1") }
                samples.append(bit == 0 ? 255 : 0)
                place += 1
            }
            return samples
        }

        /// Eight pixels a byte from the most significant bit on, rows filled up to whole bytes; 1 is black.
        func bits(height: Int, width: Int) throws(PictureError) -> [UInt8] {
            let rowLength = (width + 7) / 8
            guard height * rowLength <= bytes.count - place else { throw PNM.cutShort }
            var samples: [UInt8] = []
            samples.reserveCapacity(height * width)
            for y in 0..<height {
                for x in 0..<width {
                    let byte = bytes[place + y * rowLength + x / 8]
                    samples.append(byte >> (7 - x % 8) & 1 == 0 ? 255 : 0)
                }
            }
            return samples
        }

        mutating func plainSamples(count: Int, maximum: Int) throws(PictureError) -> [UInt8] {
            // Each takes a digit and a space, the last one only the digit.
            guard 2 * count - 1 <= bytes.count - place else { throw PNM.cutShort }
            let scaled = Reader.scaled(to: maximum)
            var samples: [UInt8] = []
            samples.reserveCapacity(count)
            for _ in 0..<count {
                let value = try number(limit: 1 << 31)
                guard value <= maximum else {
                    throw PictureError(
                        .corrupt, "has a sample of \(value), more than its maximum of \(maximum)")
                }
                samples.append(scaled[value])
            }
            return samples
        }

        func samples(count: Int, maximum: Int) throws(PictureError) -> [UInt8] {
            let bytesPerSample = maximum > 255 ? 2 : 1
            guard count * bytesPerSample <= bytes.count - place else { throw PNM.cutShort }
            if maximum == 255 { return Array(bytes[place..<(place + count)]) }
            let scaled = Reader.scaled(to: maximum)
            return (0..<count).map { i in
                let start = place + i * bytesPerSample
                let value =
                    bytesPerSample == 1 ? Int(bytes[start]) : Int(bytes[start]) << 8 | Int(bytes[start + 1])
                return scaled[min(value, maximum)]
            }
        }

        /// The 8-bit sample of each value: the nearest integer, ties to even.
        private static func scaled(to maximum: Int) -> [UInt8] {
            (0...maximum).map { value in
                UInt8((Double(value) / Double(maximum) * 255).rounded(.toNearestOrEven))
            }
        }
    }
}
