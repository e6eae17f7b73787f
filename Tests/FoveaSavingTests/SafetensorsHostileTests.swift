import FoveaGraph
import FoveaSaving
import Testing

/// Files that break the rules, by accident or on purpose: each has its own error and none ends the process.
@Suite struct SafetensorsHostileTests {
    private func file(_ header: [UInt8], data: Int = 0) -> [UInt8] {
        withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) } + header
            + [UInt8](repeating: 1, count: data)
    }

    private func file(_ header: String, data: Int = 0) -> [UInt8] { file(Array(header.utf8), data: data) }

    private func problem(_ bytes: [UInt8]) -> SafetensorsError.Problem? {
        let error = #expect(throws: SafetensorsError.self) { try Safetensors(parsing: bytes, file: "bad.st") }
        #expect(error?.file == "bad.st")
        #expect(error?.description.hasPrefix("bad.st: ") == true)
        return error?.problem
    }

    private func tensor(_ dtype: String, _ shape: String, _ offsets: String) -> String {
        #"{"t":{"dtype":"\#(dtype)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
    }

    /// A header with tensors of bytes at the places.
    private func tensors(_ places: [Range<Int>]) -> String {
        let members = places.enumerated().map { index, place in
            "\"t\(index)\":{\"dtype\":\"U8\",\"shape\":[\(place.count)],"
                + "\"data_offsets\":[\(place.lowerBound),\(place.upperBound)]}"
        }
        return "{\(members.joined(separator: ","))}"
    }

    // MARK: - The header's length

    @Test(arguments: 0..<8) func tooShort(count: Int) {
        #expect(problem([UInt8](repeating: 0, count: count)) == .tooShort(byteCount: count))
    }

    @Test(arguments: [3, 7, 100_000_001, 1 << 63, UInt64.max]) func headerLength(length: UInt64) {
        let prefix = withUnsafeBytes(of: length.littleEndian) { Array($0) }
        #expect(problem(prefix) == .headerTooLong(length: length, allowed: 0))
        #expect(problem(prefix + [0x7B, 0x7D]) == .headerTooLong(length: length, allowed: 2))
    }

    @Test(arguments: [100_000_000, 100_000_001]) func headerLimit(count: Int) {
        var bytes = [UInt8](repeating: 0x20, count: 8 + count)
        bytes.replaceSubrange(..<8, with: withUnsafeBytes(of: UInt64(count).littleEndian) { Array($0) })
        let tooLong = SafetensorsError.Problem.headerTooLong(length: 100_000_001, allowed: 100_000_000)
        #expect(problem(bytes) == (count > 100_000_000 ? tooLong : .headerNotObject))
    }

    // MARK: - The header's text

    @Test(arguments: ["", " {}", "[]", "null", "\u{FEFF}{}"]) func headerNotObject(header: String) {
        #expect(problem(file(header)) == .headerNotObject)
    }

    @Test(arguments: [
        [0x22, 0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82],
    ])
    func headerNotUTF8(bytes: [UInt8]) {
        #expect(problem(file([0x7B] + bytes + [0x7D])) == .headerNotUTF8)
    }

    @Test(arguments: [
        ("{", 9), ("{}}", 10), ("{} x", 11), ("{\u{0}}", 9), ("{,}", 9), (#"{"t"}"#, 12), (#"{"t":1}"#, 13),
        (#"{"t":null}"#, 13), (#"{"t":{},}"#, nil), (#"{"t":{"dtype":3}}"#, 22),
        (#"{"t":{"shape":[1,]}}"#, 25),
        (#"{"t":{"shape":[01]}}"#, 23), (#"{"t":{"shape":[+1]}}"#, 23), (#"{"t":{"shape":["1"]}}"#, 23),
        (#"{"t":{"shape":[true]}}"#, 23), (#"{"t":{"shape":[[1]]}}"#, 23), (#"{"t":{"shape":[1"#, 24),
        (#"{"__metadata__":[]}"#, 24), ("{\"a\nb\":{}}", 11), (#"{"\x":{}}"#, 11), (#"{"\u12g4":{}}"#, 14),
        (#"{"\ud800":{}}"#, 16), (#"{"\ud800\u0041":{}}"#, 22), (#"{"\udc00\ud800":{}}"#, 16),
        (#"{"unended"#, 17), (#"{"unended\"#, 18), (#"{'t':{}}"#, 9),
    ]) func headerSyntax(header: String, byte: Int?) {
        switch problem(file(header)) {
        case .headerSyntax(let found, _)?: #expect(found == byte)
        case .missingField?: #expect(byte == nil)
        case let other: Issue.record("\(header): \(String(describing: other))")
        }
    }

    @Test(arguments: ["[", "{\"a\":", "{\"__metadata__\":", "{\"a\":{\"shape\":[", "{\"a\":{\"b\":"])
    func deepNesting(opening: String) {
        let header = "{\"a\":" + String(repeating: opening, count: 100_000)
        #expect(problem(file(header)) != nil)
        #expect(problem(file(String(repeating: opening, count: 100_000))) != nil)
    }

    @Test func duplicateNames() {
        let tensor = #"{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#
        #expect(problem(file(#"{"t":\#(tensor),"t":\#(tensor)}"#)) == .duplicateName("t"))
        #expect(problem(file(#"{"t":\#(tensor),"\u0074":\#(tensor)}"#)) == .duplicateName("t"))
        #expect(problem(file(#"{"__metadata__":{},"__metadata__":{}}"#)) == .duplicateName("__metadata__"))
        #expect(problem(file(#"{"__metadata__":{"a":"1","a":"1"}}"#)) == .duplicateName("a"))
        #expect(problem(file(#"{"t":{"dtype":"U8","dtype":"U8"}}"#)) == .duplicateName("dtype"))
    }

    @Test(arguments: ["1", "null", "true", "[]", #"{"b":"c"}"#]) func metadataNotText(value: String) {
        #expect(problem(file(#"{"__metadata__":{"a":\#(value)}}"#)) == .metadataNotText(key: "a"))
    }

    @Test func fieldsMissingAndUnknown() {
        for field in ["dtype", "shape", "data_offsets"] {
            let members = ["dtype": #""U8""#, "shape": "[0]", "data_offsets": "[0,0]"]
                .filter { $0.key != field }.map { #""\#($0.key)":\#($0.value)"# }
            let header = #"{"t":{\#(members.joined(separator: ","))}}"#
            #expect(problem(file(header)) == .missingField(tensor: "t", field: field))
        }
        #expect(problem(file(#"{"t":{"strides":[1]}}"#)) == .unknownField(tensor: "t", field: "strides"))
    }

    @Test func whatJSONAllowsIsRead() throws {
        let header = """
            {\r\n "\\u0041\\uD83E\\udd8a\\/\\b\\f" : { "data_offsets" : [ 0 ,\t4 ] , "shape" : [ ] , \
            "dtype" : "F3\\u0032" } , "__metadata__" : { "k" : "\\"v\\"" } } \n
            """
        let parsed = try Safetensors(parsing: file(header, data: 4), file: "x")
        #expect(parsed.tensors.map(\.name) == ["A🦊/\u{8}\u{C}"])
        #expect(parsed.tensors[0].value == TensorValue(Float(bitPattern: 0x0101_0101)))
        #expect(parsed.metadata == ["k": "\"v\""])
    }

    // MARK: - Types, shapes and places

    @Test func dtypes() {
        let sizes = [
            "F64": 8, "F16": 2, "I64": 8, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "F8_E4M3": 1,
            "F8_E5M2": 1,
        ]
        for (name, size) in sizes {
            let bytes = file(tensor(name, "[3]", "[0,\(3 * size)]"), data: 3 * size)
            #expect(problem(bytes) == .unsupportedDType(tensor: "t", dtype: name))
        }
        for name in ["", "f32", "F32 ", "FLOAT", "bool"] {
            let bytes = file(tensor(name, "[1]", "[0,4]"), data: 4)
            #expect(problem(bytes) == .unknownDType(tensor: "t", dtype: name))
        }
    }

    @Test(arguments: [
        "[-1]", "[2,-2]", "[-2,-2]", "[1.0]", "[1e0]", "[9223372036854775807]", "[9223372036854775808]",
        "[4294967296,4294967296]", "[2305843009213693952,4]", "[18446744073709551616]",
        "[0,9223372036854775807]",
        "[9223372036854775807,2,0]", "[0,4611686018427387904,4]",
    ]) func shapes(shape: String) {
        let extents = shape.dropFirst().dropLast().split(separator: ",").map(String.init)
        #expect(
            problem(file(tensor("F32", shape, "[0,4]"), data: 4))
                == .invalidShape(tensor: "t", shape: extents))
    }

    @Test(arguments: [
        "[]", "[0]", "[0,1,1]", "[1,0]", "[-1,0]", "[0,-1]", "[0,1.0]", "[9223372036854775807,0]",
        "[0,18446744073709551615]", "[-9223372036854775808,9223372036854775807]",
    ]) func offsets(offsets: String) {
        let numbers = offsets.dropFirst().dropLast().split(separator: ",").map(String.init)
        #expect(
            problem(file(tensor("U8", "[1]", offsets), data: 1))
                == .invalidOffsets(tensor: "t", offsets: numbers))
    }

    @Test func sizes() {
        for (dtype, shape, size, expected) in [
            ("F32", "[2,3]", 23, 24), ("F32", "[]", 0, 4), ("BF16", "[3]", 12, 6), ("BOOL", "[0,5]", 1, 0),
        ] {
            let bytes = file(tensor(dtype, shape, "[0,\(size)]"), data: size)
            #expect(problem(bytes) == .sizeMismatch(tensor: "t", byteCount: size, expected: expected))
        }
    }

    @Test func places() {
        #expect(
            problem(file(tensors([0..<4]), data: 3)) == .outsideData(tensor: "t0", end: 4, dataByteCount: 3))
        let huge = Int.max
        #expect(
            problem(file(tensors([0..<huge]), data: 3))
                == .outsideData(tensor: "t0", end: huge, dataByteCount: 3))
        #expect(
            problem(file(tensors([4..<4]), data: 3)) == .outsideData(tensor: "t0", end: 4, dataByteCount: 3))
        #expect(problem(file(tensors([2..<5, 0..<3]), data: 5)) == .overlap(tensor: "t1", other: "t0"))
        #expect(problem(file(tensors([0..<4, 0..<4]), data: 4)) == .overlap(tensor: "t0", other: "t1"))
        #expect(problem(file(tensors([0..<4, 1..<2]), data: 4)) == .overlap(tensor: "t0", other: "t1"))
        // An empty tensor in the middle of another.
        #expect(problem(file(tensors([0..<4, 2..<2]), data: 4)) == .overlap(tensor: "t0", other: "t1"))
        #expect(problem(file(tensors([0..<2, 3..<5]), data: 5)) == .hole(before: "t1", byteCount: 1))
        #expect(problem(file(tensors([7..<8]), data: 8)) == .hole(before: "t0", byteCount: 7))
        #expect(problem(file(tensors([0..<4]), data: 6)) == .trailingBytes(2))
        #expect(problem(file("{}", data: 1)) == .trailingBytes(1))
    }

    @Test func placesThatAreFine() throws {
        for places in [[2..<5, 0..<2], [0..<0, 0..<3, 3..<3, 3..<3], [0..<3, 0..<0], []] {
            let size = places.map(\.upperBound).max() ?? 0
            let parsed = try Safetensors(parsing: file(tensors(places), data: size), file: "x")
            #expect(parsed.tensors.map(\.value.storage.count) == places.map(\.count))
        }
    }

    @Test func anyByteButZeroIsTrue() throws {
        let bytes = file(tensor("BOOL", "[3]", "[0,3]")) + [0, 2, 255]
        let value = try Safetensors(parsing: bytes, file: "x").tensors[0].value
        #expect(value.storage == .bool([false, true, true]))
        #expect(try Safetensors(tensors: [("t", value)]).serialized(checksum: false).suffix(3) == [0, 1, 1])
    }

    @Test func messagesStayShortAndOnOneLine() {
        let name = String(repeating: #"\n\u001b\""#, count: 100_000)
        let error = #expect(throws: SafetensorsError.self) {
            try Safetensors(parsing: file("{\"\(name)\":{\"x\":1}}"), file: "bad.st")
        }
        let message = error?.description ?? ""
        #expect(message.utf8.count < 1000)
        #expect(!message.contains { $0.isNewline || $0 == "\u{1B}" })
    }

    // MARK: - Damage

    @Test(arguments: [true, false]) func everyTruncationIsSeen(checksum: Bool) throws {
        let bytes = try SafetensorsTests.sample().serialized(checksum: checksum)
        for count in 0..<bytes.count {
            #expect(problem(Array(bytes.prefix(count))) != nil, "\(count) of \(bytes.count) bytes")
        }
    }

    /// Every result that parses must also be writable and come back the same.
    @Test(arguments: [true, false]) func randomDamageEndsNoProcess(checksum: Bool) throws {
        let intact = try SafetensorsTests.sample().serialized(checksum: checksum)
        var generator = SplitMix(state: checksum ? 1 : 2)
        var parsedCount = 0
        for _ in 0..<2000 {
            var bytes = intact
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                bytes[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
            }
            guard let parsed = try? Safetensors(parsing: bytes, file: "x") else { continue }
            parsedCount += 1
            let again = try Safetensors(parsing: parsed.serialized(), file: "x")
            #expect(again.tensors.map(\.name) == parsed.tensors.map(\.name))
            #expect(try again.serialized() == parsed.serialized())
        }
        // Damage to names and metadata cannot be told from other names, so some files still parse.
        #expect(parsedCount > 0 && parsedCount < 2000)
    }

    @Test func everyDamagedBitOfTheDataIsSeenByTheChecksum() throws {
        let intact = try SafetensorsTests.sample().serialized()
        for place in 8 + Int(intact[0]) + Int(intact[1]) << 8..<intact.count {
            for bit in 0..<8 {
                var bytes = intact
                bytes[place] ^= 1 << bit
                guard case .checksumMismatch? = problem(bytes) else {
                    Issue.record("bit \(bit) of byte \(place)")
                    return
                }
            }
        }
    }
}
