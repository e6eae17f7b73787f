import FoveaGraph
import Testing

/// What `print` shows.
@Suite struct ValueDescriptionTests {
    @Test func numbers() throws {
        #expect("\(TensorValue(1.5))" == "1.5 float32[]")
        #expect("\(TensorValue([1, 2, 3]))" == "[1.0, 2.0, 3.0] float32[3]")
        #expect("\(try TensorValue([7, -12], .int32))" == "[  7, -12] int32[2]")
        #expect("\(TensorValue([true, false]))" == "[ true, false] bool[2]")
        #expect("\(try TensorValue([0, 255], .uint8))" == "[  0, 255] uint8[2]")
        #expect("\(try TensorValue([1.5], .bfloat16))" == "[1.5] bfloat16[1]")
        #expect("\(TensorValue([Float]()))" == "[] float32[0]")
        #expect("\(try TensorValue(shape: [2, 0, 3], []))" == "[] float32[2, 0, 3]")
    }

    @Test func rowsStandUnderEachOther() throws {
        #expect(
            "\(try TensorValue([[1, 2.5], [-30, 4]]))" == "[[  1.0,   2.5],\n [-30.0,   4.0]] float32[2, 2]")
        let planes = try TensorValue([[[1, 2], [3, 4]], [[5, 6], [7, 8]]], .int32)
        #expect("\(planes)" == "[[[1, 2],\n  [3, 4]],\n\n [[5, 6],\n  [7, 8]]] int32[2, 2, 2]")
    }

    /// Digits as the numbers need, four at most; exponents for what is far apart, very large or very small, as in PyTorch.
    @Test(
        arguments: [
            ([0.1, 0.25], "[0.10, 0.25]"), ([0.123456, 1], "[0.1235, 1.0000]"), ([0, 0], "[0.0, 0.0]"),
            ([-0.0, 0.5], "[-0.0,  0.5]"), ([0.99999], "[1.0000]"),
            ([999.9999, 1.5], "[999.9999,   1.5000]"),
            ([1e8, 1], "[1.0000e+08, 1.0000e+00]"),
            ([99_999_992, -6], "[99999992.0,       -6.0]"),
            ([0.00005], "[5.0000e-05]"), ([1000.5, 0.5], "[1.0005e+03, 5.0000e-01]"),
            ([.leastNonzeroMagnitude, 0], "[1.4013e-45, 0.0000e+00]"), ([3.4e38], "[3.4000e+38]"),
            ([.nan, .infinity, -.infinity, 1], "[ nan,  inf, -inf,  1.0]"), ([.nan], "[nan]"),
            ([0.000_999_999, 0.000_5], "[0.0010, 0.0005]"), ([9.99999e-5], "[1.0000e-04]"),
        ] as [([Float], String)])
    func fractions(numbers: [Float], text: String) {
        #expect("\(TensorValue(numbers))" == "\(text) float32[\(numbers.count)]")
    }

    @Test func largeValuesAreShortened() throws {
        let row = try TensorValue(shape: [1001], (0..<1001).map(Float.init))
        #expect("\(row)" == "[   0.0,    1.0,    2.0, …,  998.0,  999.0, 1000.0] float32[1001]")
        let whole = "\(try TensorValue(shape: [1000], (0..<1000).map(Float.init)))"
        #expect(!whole.contains("…") && whole.split(separator: "\n").allSatisfy { $0.count <= 90 })
        let matrix = try TensorValue(shape: [40, 30], (0..<1200).map(Float.init))
        let lines = "\(matrix)".split(separator: "\n")
        #expect(lines.count == 7 && lines[3] == " …,")
        #expect(lines[0] == "[[   0.0,    1.0,    2.0, …,   27.0,   28.0,   29.0],")
        #expect(lines[6] == " [1170.0, 1171.0, 1172.0, …, 1197.0, 1198.0, 1199.0]] float32[40, 30]")
        // What is not shown has no part in how the rest is written.
        var far = [Float](repeating: 1, count: 2000)
        far[1000] = 1e30
        #expect("\(TensorValue(far))".hasPrefix("[1.0, 1.0, 1.0, …"))
    }

    @Test func longRowsAreBroken() throws {
        let lines = "\(try TensorValue((0..<40).map { Int32($0) + 100 }, .int32))".split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix(" 1") })
        #expect(lines.allSatisfy { $0.count <= 90 })
    }

    @Test func nodesOfGraphs() throws {
        let x = Tensor.input("x\u{1B}", [3])
        #expect("\(x)" == "Tensor(input \"x\\u{1B}\", float32[batch, 3])")
        #expect("\(Tensor.constant(2))" == "Tensor(constant 2.0 float32[])")
        #expect("\(try x.sum(axes: [1]))" == "Tensor(sum, float32[batch])")
    }
}
