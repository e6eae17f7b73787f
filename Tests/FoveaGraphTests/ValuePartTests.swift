import FoveaGraph
import Testing

/// Parts, arrays and literals.
@Suite struct ValuePartTests {
    /// Elements are 100 i + 10 j + k.
    private func numbered(_ shape: Shape, _ dtype: DType = .int32) -> TensorValue {
        var numbers: [Double] = []
        shape.forEachIndex { index in numbers.append(Double(index.reduce(0) { 10 * $0 + $1 })) }
        return TensorValue(shape: shape, dtype: dtype, doubles: numbers)
    }

    @Test(arguments: DType.allCases) func placesAndRanges(dtype: DType) throws {
        let value = numbered([2, 3, 2], dtype)
        #expect(value[1].shape == [3, 2] && value[1].dtype == dtype)
        #expect(value[1].doubles == Array(value.doubles[6...]))
        #expect(value[1][2][0].shape == .scalar)
        #expect(value[1][2][1].scalar == value[1, 2, 1])
        #expect(value[1..<2].shape == [1, 3, 2])
        #expect(value[..<0].shape == [0, 3, 2] && value[2...].shape == [0, 3, 2])
        #expect(value[0...1] == value)
        #expect(value[1..<2, ..<2].doubles == Array(value.doubles[6..<10]))
    }

    @Test func rangesOfSeveralAxes() {
        let value = numbered([2, 3, 4])
        #expect(value[0..., 1..<3, 2...].shape == [2, 2, 2])
        #expect(value[0..., 1..<3, 2...].integers == [12, 13, 22, 23, 112, 113, 122, 123])
        #expect(value[1...1, 2...2].integers == [120, 121, 122, 123])
        #expect(value[0..<2, 0..<3, 4...].shape == [2, 3, 0])
    }

    /// As NumPy: places take their axes away.
    @Test func placesAndRangesTogether() {
        let value = numbered([2, 3, 4])
        #expect(value[0, 1..<3].shape == [2, 4])
        #expect(value[0, 1..<3].integers == [10, 11, 12, 13, 20, 21, 22, 23])
        #expect(
            value[0..., 2].shape == [2, 4] && value[0..., 2].integers == [20, 21, 22, 23, 120, 121, 122, 123])
        #expect(value[1, 0..., 3].shape == [3] && value[1, 0..., 3].integers == [103, 113, 123])
        #expect(value[1, 2, ...1].shape == [2] && value[1, 2, ...1].integers == [120, 121])
        #expect(value[1..<2, 2, ..<0].shape == [1, 0])
        // Places alone are an element, or a part where a value is asked for.
        #expect(value[1, 2, 3] == 123)
        let row: TensorValue = value[1, 2]
        #expect(row.shape == [4] && row.integers == [120, 121, 122, 123])
    }

    /// Without a type around it a place gives a value; where a number is needed it gives that.
    @Test func placesOfVectors() {
        let value = TensorValue([0.5, 2])
        let number: Float = value[1]
        #expect(number == 2)
        let part = value[1]
        #expect(part.shape == .scalar)
        #expect(value[1] > 0.6)
    }

    @Test func nothingOutsideIsRead() async {
        await #expect(processExitsWith: .failure) { _ = TensorValue([1, 2])[2] }
        await #expect(processExitsWith: .failure) { _ = TensorValue([1, 2])[-1] }
        await #expect(processExitsWith: .failure) { _ = TensorValue(1)[0] as TensorValue }
        await #expect(processExitsWith: .failure) { _ = TensorValue([1, 2])[0, 0] }
        await #expect(processExitsWith: .failure) { _ = TensorValue([1, 2])[0..<3] }
        await #expect(processExitsWith: .failure) { _ = TensorValue([1, 2])[0..<1, 0..<1] }
        await #expect(processExitsWith: .failure) {
            _ = try TensorValue(shape: [2, 2], [1, 2, 3, 4] as [Float])[Int.max, 0...]
        }
        await #expect(processExitsWith: .failure) {
            _ = try TensorValue(shape: [2, 2], [1, 2, 3, 4] as [Float])[0, 1...2]
        }
    }

    /// Integer literals are float32; other types come on request.
    @Test func literals() throws {
        #expect(TensorValue(1).dtype == .float32)
        #expect(TensorValue([1, 2, 3]).dtype == .float32)
        #expect(TensorValue([1, 2.5]).floats == [1, 2.5])
        #expect(try TensorValue([[1, 2], [3, 4]]).storage == .float32([1, 2, 3, 4]))
        #expect(try TensorValue([[[1], [2]]]).shape == [1, 2, 1])
        #expect(try TensorValue([[[[1, 2]]]]).shape == [1, 1, 1, 2])
        #expect(TensorValue([1 as Int32, 2]).storage == .int32([1, 2]))
        #expect(try TensorValue(7, .int32).storage == .int32([7]))
        #expect(TensorValue([0 as UInt8, 255]).storage == .uint8([0, 255]))
        #expect(TensorValue([true, false]).storage == .bool([true, false]))
        #expect(try TensorValue(true, .bool).storage == .bool([true]))
        #expect(try TensorValue([[true], [false]], .bool).storage == .bool([true, false]))
        #expect(try TensorValue([[1.5, 2], [3, 4]]).storage == .float32([1.5, 2, 3, 4]))
        #expect(try TensorValue([[1 as Int32], [2]], .int32).storage == .int32([1, 2]))
        for dtype in DType.allCases {
            #expect(
                try TensorValue([[1, 0], [0, 1]], dtype)
                    == TensorValue(shape: [2, 2], dtype: dtype, doubles: [1, 0, 0, 1]))
        }
        #expect(try TensorValue([300, -7], .uint8).integers == [255, 0])
        #expect(try TensorValue([2.9, -2.9], .int32).integers == [2, -2])
        #expect(try TensorValue([1, 2].map { $0 + 1 }, .int32).integers == [2, 3])
    }

    @Test func arraysOfUnequalLength() {
        for rows: [[Float]] in [[[1], [2, 3]], [[1, 2], []], [[], [1]]] {
            let error = #expect(throws: ShapeError.self) { try TensorValue(rows) }
            #expect(error?.description.contains("different counts") == true)
        }
        #expect(throws: ShapeError.self) { try TensorValue([[[1, 2]], [[3], [4]]], .int32) }
        #expect(throws: ShapeError.self) { try TensorValue([[[[1]]], [[[1, 2]]]]) }
    }

    @Test func emptyArrays() throws {
        #expect(try TensorValue([[Float]]()).shape == [0, 0])
        #expect(try TensorValue([[], []] as [[Float]]).shape == [2, 0])
        let none: [[Float]] = try TensorValue(shape: [2, 0], []).array()
        #expect(none == [[], []])
    }

    @Test func arraysComeBack() throws {
        let rows: [[Float]] = [[1, 2.5], [-3, 4]]
        #expect(try TensorValue(rows).array() == rows)
        #expect(try TensorValue(rows).array(of: [[Int]].self) == [[1, 2], [-3, 4]])
        #expect(try TensorValue(rows).array(of: [[Double]].self) == [[1, 2.5], [-3, 4]])
        #expect(try TensorValue(rows).array(of: [[UInt8]].self) == [[1, 2], [0, 4]])
        #expect(try TensorValue(rows).array(of: [[Bool]].self) == [[true, true], [true, true]])
        #expect(try TensorValue(2.5).array(of: Float.self) == 2.5)
        let deep: [[[[[Int32]]]]] = [[[[[1, 2]], [[3, 4]]]]]
        #expect(try TensorValue(deep, .int32).shape == [1, 1, 2, 1, 2])
        #expect(try TensorValue(deep, .int32).array() == deep)
        #expect(try TensorValue([.nan, 1e30, -1e30]).array(of: [Int].self) == [0, .max, .min])
        let error = #expect(throws: ShapeError.self) { try TensorValue(rows).array(of: [Float].self) }
        #expect(error?.description.contains("[2, 2]") == true)
    }
}
