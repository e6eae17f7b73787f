import FoveaGraph
import Testing

@testable import FoveaDatasets

@Suite struct MATFileTests {
    private func read(
        _ bytes: [UInt8], _ names: Set<String>, limit: Int = 1 << 20
    ) throws(DatasetError) -> [String: MATFile.Array] {
        try MATFile.read(UnpackedFile(bytes, named: "a.mat"), names: names, limit: limit)
    }

    private func kind(_ bytes: [UInt8], _ names: Set<String>, limit: Int = 1 << 20) -> DatasetError.Kind? {
        DatasetError.kind { () throws(DatasetError) in _ = try read(bytes, names, limit: limit) }
    }

    @Test(arguments: ["numbers", "numbers_packed"]) func numbersOfSciPy(file: String) throws {
        let expected = try GoldenFiles.contents().numbers
        let found = try read(GoldenFiles.bytes("\(file).mat"), Set(expected.keys))
        #expect(Set(found.keys) == Set(expected.keys))
        for (name, array) in found {
            let wanted = try #require(expected[name])
            #expect(array.extents == wanted.extents, "\(name)")
            switch array.elements {
            case .bytes(let all):
                #expect(["u8", "one"].contains(name) && all.map(Double.init) == wanted.elements, "\(name)")
            case .numbers(let all): #expect(all == wanted.elements, "\(name)")
            }
        }
    }

    @Test func otherByteOrder() throws {
        let expected = try GoldenFiles.contents().bigEndian
        let array = try #require(try read(GoldenFiles.bytes("big_endian.mat"), ["x"])["x"])
        #expect(array == MATFile.Array(extents: expected.extents, elements: .numbers(expected.elements)))
    }

    @Test(arguments: ["numbers", "numbers_packed"]) func whatIsNoArrayOfNumbers(file: String) throws {
        let bytes = try GoldenFiles.bytes("\(file).mat")
        for name in try GoldenFiles.contents().others {
            #expect(kind(bytes, [name]) == .wrongElementType, "\(name)")
        }
        #expect(kind(bytes, ["absent"]) == .wrongFormat)
    }

    @Test func limits() throws {
        let bytes = try GoldenFiles.bytes("numbers_packed.mat")
        #expect(kind(bytes, ["u8"], limit: 12) == nil && kind(bytes, ["u8"], limit: 11) == .tooLarge)
        #expect(kind(bytes, ["i16"], limit: 24) == nil && kind(bytes, ["i16"], limit: 23) == .tooLarge)
        #expect(
            kind(bytes, ["u8", "i16"], limit: 36) == nil
                && kind(bytes, ["u8", "i16"], limit: 35) == .tooLarge)
    }

    @Test func headers() throws {
        let bytes = try GoldenFiles.bytes("big_endian.mat")
        func with(_ place: Int, _ other: [UInt8]) -> [UInt8] {
            var changed = bytes
            changed.replaceSubrange(place..<(place + other.count), with: other)
            return changed
        }
        func message(_ bytes: [UInt8]) throws -> String {
            try #require(throws: DatasetError.self) { try read(bytes, ["x"]) }.message
        }
        #expect(try message(with(124, [2, 0])).contains("7.3"))
        #expect(try message(with(0, [0x89] + Array("HDF\r\n\u{1A}\n".utf8))).contains("7.3"))
        #expect(try message(with(124, [3, 0])).contains("version 3"))
        #expect(try message(with(126, [0, 0])).contains("-v7"))
        #expect(kind(noise(500), ["x"]) == .wrongFormat)
        #expect(kind(Array("<html></html>".utf8), ["x"]) == .wrongFormat)
    }

    /// Claims that the data does not keep.
    @Test func falseClaims() throws {
        let bytes = try GoldenFiles.bytes("big_endian.mat")
        // The extents, big-endian, in the third part: header, tag, flags, tag.
        let extents = 128 + 8 + 16 + 8
        func with(_ place: Int, _ word: UInt32) -> [UInt8] {
            var changed = bytes
            for byte in 0..<4 { changed[place + byte] = UInt8(truncatingIfNeeded: word >> (24 - 8 * byte)) }
            return changed
        }
        #expect(kind(bytes, ["x"]) == nil)
        #expect(kind(with(extents, 3), ["x"]) == .wrongFormat)
        #expect(kind(with(extents, 0), ["x"]) == .wrongFormat)
        #expect(kind(with(extents, .max), ["x"]) == .tooLarge)
        #expect(kind(with(extents, 1 << 30), ["x"]) == .tooLarge)
        #expect(kind(with(132, .max), ["x"]) == .truncated)
        #expect(kind(with(132, 8), ["x"]) == .wrongFormat)
        #expect(kind(with(140, .max), ["x"]) == .wrongFormat)
        #expect(kind(bytes + bytes[128...], ["x", "y"]) == .wrongFormat)
        // A variable that is passed over, then one that is wanted.
        var second = Array(bytes[128...])
        second[second.firstIndex(of: UInt8(ascii: "x"))!] = UInt8(ascii: "y")
        #expect(Set(try read(bytes + second, ["y"]).keys) == ["y"])
        #expect(Set(try read(bytes + second, ["x", "y"]).keys) == ["x", "y"])
    }

    /// The bytes of as many numbers as the extents claim cannot be counted.
    @Test func claimsBeyondEveryNumber() {
        func words(_ all: UInt32...) -> [UInt8] {
            all.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } }
        }
        let matrix =
            words(6, 8, 9, 0) + words(5, 12, 0x7FFF_FFFF, 0x7FFF_FFFF, 2, 0)
            + words(1 << 16 | 1, UInt32(UInt8(ascii: "x"))) + words(9, 8, 0, 0)
        let header = [UInt8](repeating: 32, count: 124) + [0, 1] + Array("IM".utf8)
        let file = header + words(14, UInt32(matrix.count)) + matrix
        #expect(kind(file, ["x"], limit: .max) == .wrongFormat)
        #expect(kind(file, ["x"], limit: .min) == .tooLarge)
    }

    @Test(arguments: ["numbers.mat", "numbers_packed.mat", "big_endian.mat"])
    func everyTruncationIsFound(file: String) throws {
        let bytes = try GoldenFiles.bytes(file)
        let names = file == "big_endian.mat" ? ["x"] : Set(try GoldenFiles.contents().numbers.keys)
        for length in 0..<bytes.count {
            let kind = kind(Array(bytes[..<length]), names)
            // Between two variables it reads as if the others were absent.
            #expect([.truncated, .wrongFormat].contains(kind), "\(length) bytes")
        }
        #expect(kind(bytes, names) == nil)
    }

    @Test(arguments: ["digits.mat", "digits_packed.mat"]) func digits(file: String) throws {
        let examples = try SVHN.readExamples(GoldenFiles.path(file))
        #expect(examples.targets[0].integers == [0, 3])
        #expect(examples.inputs[0].shape == [2, 32, 32, 3] && examples.inputs[0].dtype == .uint8)
        var expected: [Int32] = []
        for image in 0..<2 {
            for row in 0..<32 {
                for column in 0..<32 {
                    let first = 7 * row + 13 * column + 17 * image
                    expected += (0..<3).map { Int32((first + 31 * $0) % 256) }
                }
            }
        }
        #expect(examples.inputs[0].integers == expected)
    }

    @Test func whatIsNotSVHN() throws {
        var bytes = try GoldenFiles.bytes("digits.mat")
        let labels = try #require(bytes.lastIndex(of: 10))
        bytes[labels] = 11
        func kind() -> DatasetError.Kind? {
            DatasetError.kind { () throws(DatasetError) in
                _ = try SVHN.readExamples(UnpackedFile(bytes, named: "a.mat"), limit: 1 << 20)
            }
        }
        #expect(kind() == .labelOutOfRange)
        bytes[labels] = 0
        #expect(kind() == .labelOutOfRange)
        bytes = try GoldenFiles.bytes("numbers.mat")
        #expect(kind() == .wrongFormat)
    }
}
