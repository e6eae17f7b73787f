import FoveaFiles
import FoveaGraph
import Glibc
import TestSupport
import Testing

@testable import FoveaSaving

@Suite struct RecordFileTests {
    /// The check value of RFC 3720, and an event file's first record as TensorFlow writes it at time 1.
    @Test func recordsAreThoseOfTensorFlow() {
        #expect(CRC32C.checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(CRC32C.checksum([]) == 0)
        let event: [UInt8] = [9, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F, 0x1A, 0x0D] + Array("brain.Event:2".utf8)
        #expect(
            RecordFile.record(event)
                == [0x18, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22] + event + [0x86, 0xBF, 0x57, 0x7A])
    }

    @Test(arguments: [0, 5]) func aFailedWriteLeavesWhatWasThere(room: Int) throws {
        let folder = try TemporaryDirectory()
        var file = RecordFile(path: folder.path + "/records")
        let records = [UInt8](0..<8)
        func expectFailure() {
            let error = #expect(throws: FileError.self) {
                try file.append(records) { descriptor, rest, place in
                    guard rest.count == records.count, room > 0 else {
                        errno = ENOSPC
                        return -1
                    }
                    return pwrite(descriptor, rest.baseAddress, room, off_t(place))
                }
            }
            #expect(error == FileError(path: file.path, operation: .write, code: ENOSPC))
        }
        expectFailure()
        #expect(try folder.names() == [])
        try file.append([1, 2, 3])
        expectFailure()
        #expect(try folder.bytes(of: "records") == [1, 2, 3])
        try file.append(records)
        #expect(try folder.bytes(of: "records") == [1, 2, 3] + records)
    }

    @Test func anothersFileIsNotTouched() throws {
        let folder = try TemporaryDirectory()
        try folder.write([7], to: "records")
        var file = RecordFile(path: folder.path + "/records")
        let error = #expect(throws: FileError.self) { try file.append([1]) }
        #expect(error?.code == EEXIST)
        #expect(try folder.bytes(of: "records") == [7])
    }
}

@Suite struct HistogramTests {
    /// As NumPy's `histogram([0, 1, 2, 3, 3, 10], bins=5)`.
    @Test func countsAreThoseOfNumPy() {
        let histogram = Histogram([3, 0, 1, .nan, 2, 3, 10, .infinity], bucketCount: 5)
        #expect(histogram.buckets.map(\.count) == [2, 3, 0, 0, 1])
        #expect(histogram.buckets.map(\.lowerBound) == [0, 2, 4, 6, 8])
        #expect(histogram.buckets.map(\.upperBound) == [2, 4, 6, 8, 10])
    }

    @Test func numbersWithoutARange() {
        #expect(Histogram([]).buckets.isEmpty)
        #expect(Histogram([.nan, .infinity]).buckets.isEmpty)
        #expect(Histogram([2, 2]).buckets == [.init(lowerBound: 1.5, upperBound: 2.5, count: 2)])
        let extremes = Histogram([-.greatestFiniteMagnitude, .greatestFiniteMagnitude, 0])
        #expect(extremes.buckets.reduce(0) { $0 + $1.count } == 3 && extremes.buckets.count == 30)
        let close = Histogram([1, Float(1).nextUp])
        #expect(close.buckets.first?.count == 1 && close.buckets.last?.count == 1)
    }
}

@Suite struct PictureGridTests {
    private func grid(_ shape: Shape, _ numbers: [Float], isScaled: Bool) throws -> [UInt8]? {
        try PictureGrid.picture(TensorValue(shape: shape, numbers), isScaled: isScaled)?.pixels
    }

    @Test func tilesAreSideBySide() throws {
        // Three images of one row of 20 pixels: two columns, the last tile empty.
        let bytes = (0..<3).flatMap { image in (0..<20).map { UInt8(10 * image + $0) } }
        let images = try TensorValue(shape: [3, 1, 20, 1], storage: .uint8(bytes))
        let picture = try #require(try PictureGrid.picture(images, isScaled: false))
        #expect(picture.height == 3 && picture.width == 41)
        let empty = [UInt8](repeating: 255, count: 20)
        let rows = [
            Array(bytes[..<20]) + [255] + Array(bytes[20..<40]), [UInt8](repeating: 255, count: 41),
            Array(bytes[40...]) + [255] + empty,
        ]
        #expect(picture.pixels == rows.flatMap(\.self))
    }

    @Test func smallImagesAreEnlarged() throws {
        let images = try TensorValue(shape: [1, 1, 2, 3], storage: .uint8([1, 2, 3, 4, 5, 6]))
        let picture = try #require(try PictureGrid.picture(images, isScaled: false))
        #expect(picture.height == 16 && picture.width == 32 && picture.channels == 3)
        #expect(picture.pixels[..<6] == [1, 2, 3, 1, 2, 3] && picture.pixels.suffix(3) == [4, 5, 6])
    }

    @Test func numbersBecomeBrightness() throws {
        let wide: Shape = [1, 1, 32, 1]
        let rest = [Float](repeating: 0, count: 28)
        #expect(
            try grid(wide, [0, 1, 0.5, -1] + rest, isScaled: false)?.prefix(4) == [0, 255, 128, 0])
        #expect(
            try grid(wide, [-2, 2, .nan, .infinity] + rest, isScaled: true)?.prefix(5) == [
                0, 255, 0, 255, 128,
            ])
        #expect(try grid(wide, [-3e38, 3e38, 1, 1] + rest, isScaled: true)?.prefix(3) == [0, 255, 128])
        #expect(
            try grid(wide, [Float](repeating: 7, count: 32), isScaled: true)?.allSatisfy { $0 == 0 } == true)
    }

    @Test func whatIsNoPictureIsNone() throws {
        #expect(try PictureGrid.picture(TensorValue(repeating: 0, shape: [2, 3]), isScaled: true) == nil)
        #expect(
            try PictureGrid.picture(TensorValue(repeating: 0, shape: [2, 3, 3, 2]), isScaled: true) == nil)
        #expect(
            try PictureGrid.picture(TensorValue(repeating: 0, shape: [0, 3, 3, 1]), isScaled: true) == nil)
        #expect(
            try PictureGrid.picture(TensorValue(repeating: 0, shape: [2, 0, 3, 1]), isScaled: true) == nil)
        let many = try PictureGrid.picture(
            TensorValue(repeating: 0, shape: [3, 2000, 1000, 1]), isScaled: true)
        #expect(many?.height == 2000)
    }
}
