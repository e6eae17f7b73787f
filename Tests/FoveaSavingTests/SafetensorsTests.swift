import Foundation
import FoveaFiles
import FoveaGraph
import FoveaSaving
import TestSupport
import Testing

@Suite struct SafetensorsTests {
    /// One tensor of every element type, with odd shapes, in an order that is not the data's.
    static func sample() throws -> Safetensors {
        Safetensors(
            tensors: [
                ("mask", try TensorValue(shape: [1, 3], storage: .bool([true, false, true]))),
                ("bytes", try TensorValue(shape: [5], storage: .uint8([0, 1, 127, 128, 255]))),
                ("half", try TensorValue(shape: [3, 1], storage: .bfloat16([0x3F80, 0x8000, 0x7FC1]))),
                (
                    "kernel",
                    try TensorValue(
                        shape: [2, 3], [1, -0.5, .infinity, -0.0, Float.leastNonzeroMagnitude, 3.4028235e38])
                ),
                ("labels", TensorValue([Int32.min, -1, Int32.max])),
                ("scalar", TensorValue(0.1)),
                ("empty", TensorValue(repeating: 0, shape: [3, 0, 2])),
                ("no bytes", try TensorValue(shape: [0], storage: .uint8([]))),
            ],
            metadata: ["b": "2", "a": "line\nbreak", "": ""])
    }

    private func expectEqual(_ one: Safetensors, _ other: Safetensors) {
        #expect(one.tensors.map(\.name) == other.tensors.map(\.name))
        #expect(one.tensors.map(\.value) == other.tensors.map(\.value))
        #expect(one.metadata == other.metadata)
    }

    @Test(arguments: [true, false])
    func everyElementTypeComesBack(checksum: Bool) throws {
        let file = try Self.sample()
        let bytes = try file.serialized(checksum: checksum)
        expectEqual(try Safetensors(parsing: bytes, file: "x"), file)
        #expect(try file.serialized(checksum: checksum) == bytes)
    }

    @Test func nothingAtAllComesBack() throws {
        let bytes = try Safetensors().serialized(checksum: false)
        #expect(bytes == [8, 0, 0, 0, 0, 0, 0, 0] + Array("{}      ".utf8))
        expectEqual(try Safetensors(parsing: bytes, file: "x"), Safetensors())
        expectEqual(try Safetensors(parsing: Safetensors().serialized(), file: "x"), Safetensors())
    }

    @Test func notANumberKeepsItsBits() throws {
        let patterns: [UInt32] = [0x7FC0_0001, 0xFFC1_2345, 0x7F80_0001]
        let file = Safetensors(tensors: [("nan", TensorValue(patterns.map(Float.init(bitPattern:))))])
        let back = try Safetensors(parsing: file.serialized(), file: "x").tensors[0].value
        #expect(back.floats.map(\.bitPattern) == patterns)
    }

    @Test func oddNamesComeBack() throws {
        let names = [
            "", " ", "a/b", "a.b:0", "\"", "\\", "\\\"", "\\u0041", "{}", "\u{0}", "\n\r\t\u{1F}\u{7F}",
            "größe",
            "日本語", "🦊👩‍👩‍👧", "e\u{301}", "\u{301}", "\u{FEFF}", "\u{10FFFF}", "metadata", "__metadata",
            String(repeating: "long", count: 1000),
        ]
        let file = Safetensors(
            tensors: names.enumerated().map { ($1, TensorValue(Float($0))) },
            metadata: Dictionary(uniqueKeysWithValues: names.map { ($0, $0) }))
        let back = try Safetensors(parsing: file.serialized(), file: "x")
        expectEqual(back, file)
        // String equality does not tell composed from decomposed letters.
        #expect(back.tensors.map { Array($0.name.utf8) } == names.map { Array($0.utf8) })
    }

    @Test func everyTensorIsAligned() throws {
        let bytes = try Self.sample().serialized()
        let headerByteCount = Int(bytes[0]) + Int(bytes[1]) << 8
        #expect(headerByteCount % 8 == 0)
        let json = try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + headerByteCount]))
        let header = try #require(json as? [String: [String: Any]])
        let sizes = ["F32": 4, "I32": 4, "BF16": 2, "U8": 1, "BOOL": 1]
        for (name, fields) in header where name != "__metadata__" {
            let dtype = try #require(fields["dtype"] as? String)
            let size = try #require(sizes[dtype])
            let begin = try #require((fields["data_offsets"] as? [Int])?.first)
            #expect(begin % size == 0, "\(name)")
        }
        #expect(header.count == 9)
    }

    @Test(arguments: 0..<16) func headersArePaddedNoMoreThanNeeded(length: Int) throws {
        let empty = try TensorValue(shape: [0], [])
        let file = Safetensors(tensors: [(String(repeating: "n", count: length), empty)])
        let bytes = try file.serialized(checksum: false)
        #expect(bytes.count % 8 == 0)
        #expect(bytes.suffix(8).contains(UInt8(ascii: "}")))
    }

    @Test func metadataOrderDoesNotReachTheFile() throws {
        let keys = (0..<40).map { "key \($0)" }
        var one = Safetensors()
        var other = Safetensors()
        for key in keys { one.metadata[key] = key }
        other.metadata.reserveCapacity(4096)
        for key in keys.reversed() { other.metadata[key] = key }
        #expect(try one.serialized() == other.serialized())
    }

    @Test func doubtfulNamesAreNotWritten() throws {
        for (names, problem) in [
            (["a", "b", "a"], SafetensorsError.Problem.duplicateName("a")),
            (["é", "e\u{301}"], .duplicateName("é")),
            (["__metadata__"], .reservedName("__metadata__")),
        ] {
            let file = Safetensors(tensors: names.map { ($0, TensorValue(1)) })
            let error = #expect(throws: SafetensorsError.self) { try file.serialized() }
            #expect(error?.problem == problem)
        }
    }

    // MARK: - Files

    @Test func filesCarryAChecksumThatIsVerified() throws {
        try withTemporaryFolder { folder in
            let path = folder + "/model.safetensors"
            let file = try Self.sample()
            try file.write(to: path)
            expectEqual(try Safetensors(contentsOf: path), file)

            var bytes = try AtomicFile.read(path)
            #expect(bytes == (try file.serialized()))
            bytes[bytes.count - 20] ^= 4
            try AtomicFile.write(bytes, to: path)
            let error = #expect(throws: SafetensorsError.self) { try Safetensors(contentsOf: path) }
            guard case .checksumMismatch = error?.problem else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(error?.description.contains(path) == true)
        }
    }

    @Test func checksumIsThatOfTheStandard() throws {
        // The example "abc" of FIPS 180-2, appendix B.1.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        let abc = Safetensors(tensors: [
            ("t", try TensorValue(shape: [3], storage: .uint8(Array("abc".utf8))))
        ])
        let text = String(decoding: try abc.serialized(), as: UTF8.self)
        #expect(text.contains("\"__metadata__\":{\"fovea.data_sha256\":\"\(digest)\"}"))
    }

    @Test func aStaleChecksumIsReplaced() throws {
        var file = try Self.sample()
        file.metadata[Safetensors.checksumKey] = "stale"
        #expect(try file.serialized() == Self.sample().serialized())
        #expect(try file.serialized(checksum: false) == Self.sample().serialized(checksum: false))
    }

    @Test func aMissingFileIsNamed() {
        let error = #expect(throws: FileError.self) { try Safetensors(contentsOf: "/nowhere/a.safetensors") }
        #expect(error == FileError(path: "/nowhere/a.safetensors", operation: .open, code: ENOENT))
    }

    // MARK: - Python's safetensors package

    private func reference() throws -> [UInt8] {
        let url = try #require(
            Bundle.module.url(
                forResource: "reference", withExtension: "safetensors", subdirectory: "Fixtures"))
        return try AtomicFile.read(url.path)
    }

    /// The values are those in `Fixtures/make_safetensors.py`.
    @Test func filesOfPythonAreRead() throws {
        let file = try Safetensors(parsing: reference(), file: "reference.safetensors")
        #expect(file.metadata == ["läuft": "mit \"Python\"\t\\"])
        let tensors = Dictionary(uniqueKeysWithValues: file.tensors.map { ($0.name, $0.value) })
        let kernel = try TensorValue(shape: [2, 3, 1, 5], (0..<30).map { Float($0) / 8 - 1.5 })
        let half: [Float] = [1, -2.5, 0.15625, 65536, -0.0, 3e38]
        #expect(
            tensors == [
                "conv/kernel:0": kernel,
                "special": TensorValue([
                    .infinity, -.infinity, -0.0, Float.leastNonzeroMagnitude, 3.4028235e38,
                ]),
                "step": try TensorValue(shape: .scalar, storage: .int32([-123_456_789])),
                "half": try TensorValue(shape: [3, 2], storage: .bfloat16(half.map(\.bfloat16Pattern))),
                "pixels": try TensorValue(shape: [5], storage: .uint8([0, 1, 127, 128, 255])),
                "mask": try TensorValue(shape: [1, 3], storage: .bool([true, false, true])),
                "empty": TensorValue(repeating: 0, shape: [3, 0, 2]),
                "größe \"α\"\\\n日本🦊": TensorValue([Int32(7)]),
            ])
        #expect(tensors["special"]?.floats[2].sign == .minus)
    }

    @Test func filesOfPythonAreWrittenAgainByteForByte() throws {
        let bytes = try reference()
        #expect(
            try Safetensors(parsing: bytes, file: "reference.safetensors").serialized(checksum: false)
                == bytes)
    }
}
