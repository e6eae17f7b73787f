/// Counts the parts of a file before it is taken apart, because each takes memory however little it says.
enum ONNXSize {
    /// As many as a hundred thousand nodes have.
    static let partLimit = 1 << 20

    /// Whether the file, its graph and its nodes have more parts than any model.
    static func isTooLarge(_ bytes: [UInt8], limit: Int = partLimit) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var scanner = Scanner(bytes: bytes, limit: limit)
            scanner.scan(0..<bytes.count, inside: .file)
            return scanner.count > limit
        }
    }

    private enum Message {
        case file, graph, node

        /// What the field of that number is, if its parts are counted, too.
        func part(_ field: UInt64) -> Message? {
            switch (self, field) {
            case (.file, 7): .graph
            case (.graph, 1): .node
            default: nil
            }
        }
    }

    /// Goes through the fields of messages; what cannot be read is left to the parser, which refuses it.
    private struct Scanner {
        let bytes: UnsafeRawBufferPointer
        let limit: Int
        var count = 0

        mutating func scan(_ range: Range<Int>, inside message: Message) {
            var place = range.lowerBound
            while place < range.upperBound, count <= limit {
                guard let tag = number(&place, range.upperBound) else { return }
                count += 1
                switch tag & 7 {
                case 0: if number(&place, range.upperBound) == nil { return }
                case 1: place += 8
                case 2:
                    guard let length = number(&place, range.upperBound), length <= range.upperBound - place
                    else { return }
                    let end = place + Int(length)
                    if let part = message.part(tag >> 3) { scan(place..<end, inside: part) }
                    place = end
                case 5: place += 4
                default: return
                }
            }
        }

        private func number(_ place: inout Int, _ end: Int) -> UInt64? {
            var result: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 64, by: 7) {
                guard place < end else { return nil }
                let byte = bytes[place]
                place += 1
                result |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return result }
            }
            return nil
        }
    }
}
