import Testing

@testable import FoveaDatasets

/// The attributes and rows of an ARFF file in memory.
private func table(
    _ bytes: [UInt8], limits: ARFFReader.Limits = ARFFReader.Limits()
) throws(DatasetError) -> (attributes: [ARFFAttribute], rows: [[Double]]) {
    var reader = try ARFFReader(UnpackedFile(bytes, named: "a.arff"), limits: limits)
    var rows: [[Double]] = []
    var row: [Double] = []
    while try reader.readRow(into: &row) { rows.append(row) }
    return (reader.attributes, rows)
}

private func kind(
    _ text: String, limits: ARFFReader.Limits = ARFFReader.Limits()
) -> DatasetError.Kind? {
    DatasetError.kind { () throws(DatasetError) in _ = try table(Array(text.utf8), limits: limits) }
}

@Suite struct ARFFReaderTests {
    private let head = "@relation r\n@attribute a numeric\n@attribute b {x,'y z'}\n@data\n"

    @Test func denseRowsAsSciPyReadsThem() throws {
        let expected = try GoldenFiles.contents()
        for bytes in [try GoldenFiles.bytes("dense.arff"), try gzip(GoldenFiles.bytes("dense.arff"))] {
            let (attributes, rows) = try table(bytes)
            #expect(attributes.map(\.name) == ["width", "the colour", "height in cm", "count"])
            #expect(attributes[1].kind == .nominal(["red", "dark blue", "it's"]))
            for (place, name) in [(0, "width"), (2, "height in cm"), (3, "count")] {
                #expect(rows.map { $0[place].isNaN ? nil : $0[place] } == expected.dense[name])
            }
            #expect(rows.map { Int($0[1]) } == expected.colours)
        }
    }

    @Test func sparseRows() throws {
        let rows = try table(GoldenFiles.bytes("sparse.arff")).rows
        #expect(rows == [[1.5, 0, -3], [0, 0, 0], [0, 2, 7], [0, 1, 0]])
    }

    @Test func lineBreaksAndLongFiles() throws {
        let rows = (0..<60_000).map { "\($0), 'y z'\r\n" }.joined()
        let found = try table(Array((head.replacing("\n", with: "\r\n") + rows).utf8)).rows
        #expect(found.map { Int($0[0]) } == Array(0..<60_000) && found.allSatisfy { $0[1] == 1 })
    }

    @Test(arguments: [
        ("1152921504606846976,x", 0x1p60), ("+5,x", 5), ("-0.5E-3,x", -0.0005),
        ("999999999999999,x", 999_999_999_999_999), ("1000000000000000,x", 1e15), ("007,x", 7), ("12 ,x", 12),
        ("\t3.,x", 3),
    ])
    func numbers(row: String, value: Double) throws {
        #expect(try table(Array((head + row + "\n").utf8)).rows == [[value, 0]])
    }

    @Test(arguments: [
        "1\n", "1,x,2\n", "1,z\n", ",x\n", "1,\n", "1 2,x\n", "1,'x\n", "nan,x\n", "inf,x\n", "0x10,x\n",
        "1e999,x\n", "1,x,{2}\n", "1;x\n", "--1,x\n", "{0 1\n", "{0 1,0 2\n}", "{1 x,0 2}\n", "{2 1}\n",
        "{-1 1}\n",
        "{0.5 1}\n", "{0 1}{5}\n", "{0}\n", "{0 1 1 x}\n", "1,\"y z\n", "1e,x\n",
    ])
    func rowsThatDoNotFit(row: String) {
        #expect(kind(head + row) == .wrongFormat)
    }

    @Test(arguments: [
        "", "% nothing\n", "relation\n", "@data\n", "@attribute a numeric\n@data\n", "@relation\n",
        "@relation r\n@relation s\n", "@relation r\n@data\n", "@relation r\nattribute\n",
        "@relation r\n@attribute a numeric\n@attribute a real\n@data\n",
        "@relation r\n@attribute a {}\n@data\n",
        "@relation r\n@attribute a {x,x}\n@data\n", "@relation r\n@attribute a {x y}\n@data\n",
        "@relation r\n@attribute a {x\n@data\n", "@relation r\n@attribute a numeric [1,2]\n@data\n",
        "@relation r\n@unknown\n", "@relation r\n@attribute a\n", "<html>\n",
    ])
    func headersThatAreNone(text: String) { #expect(kind(text) == .wrongFormat) }

    @Test(arguments: ["string", "date", "date 'yyyy'", "relational"]) func otherAttributes(type: String) {
        #expect(kind("@relation r\n@attribute a \(type)\n@data\n") == .wrongElementType)
    }

    @Test func limits() {
        #expect(kind(head + "1,x\n", limits: .init(lineByteCount: 22)) == nil)
        #expect(kind(head + "1,x\n", limits: .init(lineByteCount: 21)) == .tooLarge)
        #expect(kind(head, limits: .init(attributeCount: 2, valueCount: 2)) == nil)
        #expect(kind(head, limits: .init(attributeCount: 1)) == .tooLarge)
        #expect(kind(head, limits: .init(valueCount: 1)) == .tooLarge)
        #expect(kind(String(repeating: " ", count: 1 << 25)) == .tooLarge)
    }

    @Test func namesAreUTF8() {
        var bytes = Array((head + "1,x\n").utf8)
        bytes[10] = 0xFF
        #expect(DatasetError.kind { () throws(DatasetError) in _ = try table(bytes) } == .wrongFormat)
    }

    /// A prefix that ends after whole rows is a file of fewer rows; every other one is refused.
    @Test func truncations() throws {
        for file in ["dense.arff", "sparse.arff"] {
            let bytes = try GoldenFiles.bytes(file)
            let all = try table(bytes).rows
            for length in 0..<bytes.count {
                let part = Array(bytes[..<length])
                guard let rows = try? table(part).rows else { continue }
                #expect(
                    rows.elementsEqual(all.prefix(rows.count)) {
                        $0.map(\.bitPattern) == $1.map(\.bitPattern)
                    })
                #expect(part.last == 10 || part.suffix(12).contains(37), "\(length) bytes of \(file)")
            }
        }
    }
}

@Suite struct SVHNARFFTests {
    /// Rows of 3,072 pixels and a class.
    private func file(_ rows: [(pixel: String, label: String)], classes: String = "{1,2,3,4,5,6,7,8,9,10}")
        -> [UInt8]
    {
        var text = "@relation SVHN\n"
        for place in 0..<3072 { text += "@attribute V\(place) INTEGER\n" }
        text += "@attribute class \(classes)\n@data\n"
        for row in rows {
            text += "\(row.pixel)," + (1..<3072).map { "\($0 * 7 % 256)," }.joined() + "\(row.label)\n"
        }
        return Array(text.utf8)
    }

    private func read(_ bytes: [UInt8], limit: Int = 1 << 20) throws(DatasetError) -> (Examples, Examples) {
        let parts = try SVHN.readExamples(arff: UnpackedFile(bytes, named: "a"), trainCount: 2, limit: limit)
        return (parts.train, parts.test)
    }

    @Test(arguments: ["{1,2,3,4,5,6,7,8,9,10}", "{10,9,8,7,6,5,4,3,2,1}", "numeric"])
    func rows(classes: String) throws {
        let (train, test) = try read(file([("1", "10"), ("2", "9"), ("255.0", "3")], classes: classes))
        #expect(train.inputs[0].shape == [2, 32, 32, 3] && test.inputs[0].shape == [1, 32, 32, 3])
        #expect(train.targets[0].integers == [0, 9] && test.targets[0].integers == [3])
        #expect(test.inputs[0].integers == [255] + (1..<3072).map { Int32($0 * 7 % 256) })
    }

    @Test func whatIsNotSVHN() throws {
        func kind(_ rows: [(String, String)], classes: String = "numeric", limit: Int = 1 << 20)
            -> DatasetError.Kind?
        {
            DatasetError.kind { () throws(DatasetError) in
                _ = try read(file(rows.map { ($0.0, $0.1) }, classes: classes), limit: limit)
            }
        }
        let good = ("1", "1")
        #expect(kind([good, good, good]) == nil)
        #expect(kind([good, good]) == .truncated)
        #expect(kind([good, good, good], limit: 3 * 3072 - 1) == .tooLarge)
        for pixel in ["256", "-1", "0.5", "?"] { #expect(kind([good, good, (pixel, "1")]) == .wrongFormat) }
        for label in ["0", "11", "1.5", "?"] {
            #expect(kind([good, good, ("1", label)]) == .labelOutOfRange)
        }
        #expect(kind([good, good, ("1", "x")], classes: "{1,x}") == .labelOutOfRange)
        let small = Array("@relation r\n@attribute class numeric\n@data\n1\n".utf8)
        #expect(DatasetError.kind { () throws(DatasetError) in _ = try read(small) } == .wrongShape)
    }
}
