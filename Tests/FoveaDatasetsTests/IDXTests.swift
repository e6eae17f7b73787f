import FoveaGraph
import TestSupport
import Testing

@testable import FoveaDatasets

@Suite struct IDXTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    func kind(_ bytes: [UInt8], limit: Int = IDX.defaultLimit) throws -> DatasetError.Kind? {
        let path = try directory.write(bytes, to: "file")
        do throws(DatasetError) {
            _ = try IDX.read(path, limit: limit)
            return nil
        } catch {
            #expect(error.file == path)
            #expect(!error.message.isEmpty)
            return error.kind
        }
    }

    @Test(arguments: [[5], [2, 3], [3, 5, 7], [1, 2, 3, 4], [2, 1, 1, 1, 1, 1, 1, 1, 3]] as [[UInt32]])
    func anyRank(extents: [UInt32]) throws {
        let elements = noise(extents.reduce(1) { $0 * Int($1) })
        let plain = try directory.write(idx(extents, elements), to: "plain.gz")
        let packed = try directory.write(gzip(idx(extents, elements)), to: "packed")
        let expected = try TensorValue(shape: Shape(extents.map(Int.init)), storage: .uint8(elements))
        #expect(try IDX.read(plain) == expected)
        #expect(try IDX.read(packed) == expected)
    }

    @Test func imagesAndLabels() throws {
        let images = try directory.write(gzip(idx([2, 3, 4], Array(0..<24))), to: "images")
        let labels = try directory.write(idx([2], [9, 0]), to: "labels")
        let examples = try IDX.readExamples(images: images, labels: labels, classCount: 10)
        #expect(examples.inputs[0] == (try TensorValue(shape: [2, 3, 4, 1], storage: .uint8(Array(0..<24)))))
        #expect(examples.targets[0] == TensorValue([Int32(9), 0]))
    }

    @Test func countsMustAgree() throws {
        let images = try directory.write(idx([2, 1, 1], [1, 2]), to: "images")
        let labels = try directory.write(idx([3], [0, 0, 0]), to: "labels")
        let error = try #require(throws: DatasetError.self) {
            try IDX.readExamples(images: images, labels: labels, classCount: 10)
        }
        #expect(error.kind == .mismatchedCounts)
        #expect(error.description.contains(images) && error.description.contains(labels))
        #expect(error.message.contains("2 images") && error.message.contains("3 labels"))
    }

    @Test func labelsMustBeClasses() throws {
        let path = try directory.write(idx([4], [0, 4, 5, 255]), to: "labels")
        let error = try #require(throws: DatasetError.self) { try IDX.readLabels(path, classCount: 5) }
        #expect(error.kind == .labelOutOfRange && error.file == path)
        #expect(error.message.contains("label 2 is 5"))
        #expect(throws: DatasetError.self) { try IDX.readLabels(path, classCount: .min) }
        #expect(try IDX.readLabels(path, classCount: 256).integers == [0, 4, 5, 255])
    }

    @Test func ranksOfImagesAndLabels() throws {
        let path = try directory.write(idx([2, 2], [0, 0, 0, 0]), to: "file")
        #expect(throws: DatasetError.self) { try IDX.readImages(path) }
        #expect(throws: DatasetError.self) { try IDX.readLabels(path, classCount: 10) }
    }

    @Test func everyTruncationIsFound() throws {
        let plain = idx([3, 5, 7], noise(105))
        for length in 0..<plain.count {
            #expect(try kind(Array(plain[..<length])) == .truncated, "plain, \(length) bytes")
        }
        for packed in [try gzip(plain), try gzip(idx([3, 5, 7], [UInt8](repeating: 0, count: 105)))] {
            for length in 0..<packed.count {
                #expect(try kind(Array(packed[..<length])) == .truncated, "gzip, \(length) bytes")
            }
            #expect(try kind(packed) == nil)
        }
    }

    @Test func flippedBitsNeverGoUnnoticed() throws {
        let plain = idx([3, 5, 7], noise(105).map { $0 & 0x0F })
        let expected = try IDX.read(directory.write(plain, to: "plain"))
        let packed = try gzip(plain)
        for position in packed.indices {
            for bit in 0..<8 {
                var damaged = packed
                damaged[position] ^= 1 << UInt8(bit)
                let path = try directory.write(damaged, to: "damaged")
                // Only the header's time stamp and the like may change without harm.
                if let value = try? IDX.read(path) {
                    #expect(value == expected, "byte \(position) bit \(bit)")
                }
            }
        }
    }

    @Test func flippedBitsOfTheHeader() throws {
        let plain = idx([3, 5, 7], noise(105))
        for position in 0..<16 {
            for bit in 0..<8 {
                var damaged = plain
                damaged[position] ^= 1 << UInt8(bit)
                #expect(try kind(damaged) != nil, "byte \(position) bit \(bit)")
            }
        }
    }

    @Test func trailingBytes() throws {
        let plain = idx([2, 2], [1, 2, 3, 4])
        #expect(try kind(plain + [0]) == .trailingBytes)
        #expect(try kind(gzip(plain + [0])) == .trailingBytes)
        #expect(try kind(gzip(plain) + gzip([0])) == .trailingBytes)
        // A gzip file may consist of several members.
        #expect(try kind(gzip(Array(plain[..<9])) + gzip(Array(plain[9...]))) == nil)
    }

    @Test func damagedChecksum() throws {
        var packed = try gzip(idx([50], noise(50)))
        packed[packed.count - 8] ^= 1
        #expect(try kind(packed) == .corruptGzip)
    }

    @Test func claimsBeyondTheFile() throws {
        let most = UInt32.max
        #expect(try kind(idx([1000], noise(10))) == .truncated)
        #expect(try kind(idx([most], noise(10))) == .tooLarge)
        #expect(try kind(idx([most, most, most], noise(10))) == .tooLarge)
        #expect(try kind(gzip(idx([most, most, most, most], noise(10)))) == .tooLarge)
        #expect(try kind(gzip(idx([1 << 30], noise(10)))) == .truncated)
        #expect(try kind(gzip(idx([4_000], noise(10)))) == .truncated)
        #expect(try kind(idx([UInt32](repeating: most, count: 255), noise(10))) == .tooLarge)
        #expect(try kind(idx([UInt32](repeating: 2, count: 255), noise(10))) == .tooLarge)
        #expect(try kind([0, 0, 8, 255]) == .truncated)
    }

    @Test func claimsThatOverflowAroundZero() throws {
        let most = UInt32.max
        #expect(try kind(idx([0, most, most, most], [])) == .wrongShape)
        #expect(try kind(idx([most, most, most, 0], [])) == .wrongShape)
        #expect(try kind(idx([1 << 31, 1 << 31, 4], [])) == .tooLarge)
        #expect(try kind(idx([0], [])) == .wrongShape)
    }

    @Test func limits() throws {
        #expect(try kind(idx([100], noise(100)), limit: 100) == nil)
        #expect(try kind(idx([100], noise(100)), limit: 99) == .tooLarge)
        #expect(try kind(gzip(idx([100], noise(100))), limit: 99) == .tooLarge)
        #expect(try kind(idx([100], noise(100)), limit: .max) == nil)
        #expect(try kind(idx([100], noise(100)), limit: .min) == .tooLarge)
        // 2^63 - 1 is the product of 7, 7, 73, 127, 337, 92737 and 649657.
        let most = idx([7 * 7 * 73, 127 * 337, 92737, 649_657], noise(10))
        #expect(try kind(most, limit: .max) == .truncated)
        #expect(try kind(gzip(most), limit: .max) == .truncated)
    }

    @Test(
        arguments: [
            [0x50, 0x4B, 3, 4], [0, 1, 8, 1], [1, 0, 8, 1], [0, 0, 7, 1], [0, 0, 8, 0], Array("<html>".utf8),
        ] as [[UInt8]])
    func otherFormats(start: [UInt8]) throws {
        #expect(try kind(start + noise(100)) == .wrongFormat)
        #expect(try kind(gzip(start + noise(100))) == .wrongFormat)
    }

    @Test(arguments: [(0x09, "int8"), (0x0B, "int16"), (0x0C, "int32"), (0x0D, "float32"), (0x0E, "float64")])
    func otherElementTypes(type: UInt8, name: String) throws {
        let path = try directory.write(idxHeader([2], type: type) + noise(16), to: "file")
        let error = try #require(throws: DatasetError.self) { try IDX.read(path) }
        #expect(error.kind == .wrongElementType && error.message.contains(name))
    }

    @Test func whatIsNoFile() throws {
        func kind(_ path: String) -> DatasetError.Kind? {
            (#expect(throws: DatasetError.self) { try IDX.read(path) })?.kind
        }
        #expect(kind(directory.path + "/absent") == .missingFile)
        #expect(kind(directory.path) == .fileAccess)
        #expect(kind("/dev/zero") == .fileAccess)
        #expect(kind("") == .missingFile)
    }

    @Test func checksumsAreOfTheUnpackedBytes() throws {
        // The example "abc" of FIPS 180-2.
        let expected = Checksum.sha256("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        let bytes = Array("abc".utf8)
        #expect(try unpackedSHA256(of: directory.write(bytes, to: "plain"), limit: 3) == expected)
        #expect(
            try unpackedSHA256(of: directory.write(gzip(bytes, level: 1), to: "one"), limit: 3) == expected)
        #expect(try unpackedSHA256(of: directory.write(gzip(bytes), to: "nine"), limit: 3) == expected)
        let path = directory.path + "/nine"
        #expect(throws: DatasetError.self) { try unpackedSHA256(of: path, limit: 2) }
        // Of RFC 1321's examples.
        let plain = directory.path + "/plain"
        let md5 = try Checksum.md5("").ofFile(plain, unpacking: false, limit: 3)
        #expect(md5 == .md5("900150983cd24fb0d6963f7d28e17f72"))
        #expect(try Checksum.sha256("").ofFile(path, unpacking: false, limit: 99) != expected)
    }
}
