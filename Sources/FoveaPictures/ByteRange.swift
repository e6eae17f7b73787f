/// A part of the bytes of a file; reading past its end gives nil.
struct ByteRange {
    private let bytes: [UInt8]
    private let range: Range<Int>

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        range = 0..<bytes.count
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }

    var count: Int { range.count }
    var slice: ArraySlice<UInt8> { bytes[range] }

    func byte(_ place: Int) -> UInt8? {
        place >= 0 && place < range.count ? bytes[range.lowerBound + place] : nil
    }

    /// An unsigned number of 0 to 4 bytes.
    func number(_ place: Int, bytes count: Int, isBigEndian: Bool) -> Int? {
        guard place >= 0, place <= range.count, count <= range.count - place else { return nil }
        let start = range.lowerBound + place
        return (0..<count).reduce(0) { value, i in
            value << 8 | Int(bytes[isBigEndian ? start + i : start + count - 1 - i])
        }
    }

    /// Up to `count` bytes from `place` on, as far as there are any.
    func part(_ place: Int, count: Int) -> ByteRange {
        let start = min(max(place, 0), range.count)
        let end = start + min(max(count, 0), range.count - start)
        return ByteRange(bytes, range.lowerBound + start..<range.lowerBound + end)
    }

    func part(from place: Int) -> ByteRange { part(place, count: count) }

    func starts(with prefix: [UInt8]) -> Bool { slice.starts(with: prefix) }

    func starts(with text: String) -> Bool { slice.starts(with: text.utf8) }

    /// The bytes before the first 0 and those behind it; nil where there is none.
    func splitAtZero() -> (before: ByteRange, behind: ByteRange)? {
        guard let zero = slice.firstIndex(of: 0) else { return nil }
        let place = zero - range.lowerBound
        return (part(0, count: place), part(from: place + 1))
    }
}
