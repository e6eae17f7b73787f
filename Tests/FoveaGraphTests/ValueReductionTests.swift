import FoveaGraph
import TestSupport
import Testing

@Suite struct ValueReductionTests {
    private let value = TensorValue(
        shape: [2, 3, 2], dtype: .float32, doubles: [1, -2, 3, 9, 5, 5, 0, 8, 8, -7, 2, 8])

    /// The operations of graphs are the definition.
    @Test @Compute func likeThoseOfGraphs() throws {
        for dtype in [DType.float32, .int32] {
            let value = TensorValue(shape: value.shape, dtype: dtype, doubles: value.doubles)
            let x = Tensor.constant(value)
            for axes in [[0], [1], [2], [-1], [0, 2], [2, 0], [0, 1, 2], []] {
                for keepDims in [false, true] {
                    var expected = [
                        try x.sum(axes: axes, keepDims: keepDims), try x.max(axes: axes, keepDims: keepDims),
                        try x.min(axes: axes, keepDims: keepDims),
                    ]
                    var found = [
                        try value.sum(axes: axes, keepDims: keepDims),
                        try value.max(axes: axes, keepDims: keepDims),
                        try value.min(axes: axes, keepDims: keepDims),
                    ]
                    if dtype == .float32 {
                        expected.append(try x.mean(axes: axes, keepDims: keepDims))
                        found.append(try value.mean(axes: axes, keepDims: keepDims))
                    }
                    #expect(try evaluate(expected) == found, "\(dtype) \(axes)")
                }
            }
            for axis in -3..<3 {
                #expect(try evaluate([x.argMax(axis: axis)])[0] == value.argMax(axis: axis))
                #expect(
                    try evaluate([x.argMax(axis: axis, keepDims: true)])[0]
                        == value.argMax(axis: axis, keepDims: true))
            }
        }
    }

    @Test func all() throws {
        #expect(value.sum() == 40 && value.mean() == 40 / 12 as Float)
        #expect(value.max() == 9 && value.min() == -7)
        #expect(TensorValue([Float]()).sum() == 0 && TensorValue([Float]()).mean().isNaN)
        #expect(TensorValue([Float]()).max() == -.infinity && TensorValue([Float]()).min() == .infinity)
        #expect(TensorValue([1, .nan, 3]).max().isNaN && TensorValue([1, .nan, 3]).min().isNaN)
        #expect(TensorValue([true, false, true, true]).mean() == 0.75)
        #expect(try TensorValue([200, 100], .uint8).sum() == 300)
        // Sums are in Double.
        #expect(TensorValue([1e8, 1, -1e8]).sum() == 1)
    }

    @Test func typesOfResults() throws {
        let bytes = try TensorValue([[200, 100], [3, 4]], .uint8)
        #expect(try bytes.sum(axes: [1]) == TensorValue([300, 7], .int32))
        #expect(try bytes.mean(axes: [0]) == TensorValue([101.5, 52]))
        #expect(try bytes.max(axes: [0]) == TensorValue([200, 100], .uint8))
        #expect(try (bytes .> 50).sum(axes: [1]) == TensorValue([2, 0], .int32))
        #expect(try (bytes .> 50).max(axes: [0]).dtype == .bool)
        let halves = try TensorValue([1.5, 2.5], .bfloat16)
        #expect(try halves.sum(axes: [0]) == TensorValue(4))
        #expect(try halves.min(axes: [0]) == TensorValue(1.5, .bfloat16))
    }

    @Test func notNumbers() throws {
        let value = try TensorValue([[1, .nan, 3], [4, 5, 6]])
        #expect(try value.argMax(axis: 1).integers == [1, 2])
        #expect(try value.max(axes: [1]).floats[0].isNaN && value.max(axes: [1]).floats[1] == 6)
        #expect(try value.min(axes: [0]).floats[1].isNaN)
    }

    @Test func axesThatDoNotExist() throws {
        let empty = try TensorValue(shape: [2, 0], [])
        for body in [
            { _ = try value.sum(axes: [3]) }, { _ = try value.mean(axes: [-4]) },
            { _ = try value.max(axes: [0, 0]) }, { _ = try value.min(axes: [0, -3]) },
            { _ = try value.argMax(axis: 3) }, { _ = try TensorValue(1).argMax() },
            { _ = try empty.argMax(axis: 1) }, { _ = try empty.max(axes: [1]) },
        ] as [() throws -> Void] {
            #expect(throws: ShapeError.self) { try body() }
        }
        #expect(try empty.sum(axes: [1]).floats == [0, 0])
        #expect(try empty.max(axes: [0]).shape == [0])
    }

    @Test func comparisons() throws {
        let value = TensorValue([1, 2, .nan])
        #expect((value .== 2).storage == .bool([false, true, false]))
        #expect((value .!= 2).storage == .bool([true, false, true]))
        #expect((value .< 2).storage == .bool([true, false, false]))
        #expect((value .<= 2).storage == .bool([true, true, false]))
        #expect((value .> 1).storage == .bool([false, true, false]))
        #expect((value .>= 1).storage == .bool([true, true, false]))
        let (a, b) = (try TensorValue([[1], [2]]), TensorValue([1, 2, 3]))
        #expect(try (a .< b).array(of: [[Bool]].self) == [[false, true, true], [false, false, true]])
        #expect(try (a .<= b).sum() == 5 && (a .> b).sum() == 1)
        #expect(try (a .>= b).sum() == 3 && (a .== b).sum() == 2 && (a .!= b).sum() == 4)
        #expect(try (a .== TensorValue([[1], [3]], .int32)).storage == .bool([true, false]))
        #expect(throws: ShapeError.self) { try value .< TensorValue([1, 2]) }
        // The part of guesses that are right.
        let scores = try TensorValue([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
        #expect(try (scores.argMax() .== TensorValue([1, 0, 0])).mean() == 2 / 3 as Float)
    }

    @Test @Compute func leastOfGraphs() throws {
        let x = Tensor.constant(try TensorValue([[3, -2, -2], [5, .nan, 1]]))
        let least = try evaluate([x.min(), x.min(axes: [1]), x.min(axes: [0], keepDims: true)])
        #expect(least[0].scalar.isNaN && least[1].floats[0] == -2 && least[1].floats[1].isNaN)
        #expect(least[2].shape == [1, 3] && least[2].floats[2] == -2)
        let integers = TensorValue([Int32.min, .max])
        #expect(try evaluate([Tensor.constant(integers).min()])[0].integers == [.min])
        let argument = Tensor.argument("x", [3])
        let slope = try evaluate(
            gradient(of: argument.min(), withRespectTo: [argument]), ["x": TensorValue([4, 1, 1])])[0]
        #expect(slope.floats == [0, 0.5, 0.5])
    }
}
