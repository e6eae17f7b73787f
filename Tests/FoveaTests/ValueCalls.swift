import Fovea
import Testing

/// The calls in the guides' tables on tensors and values.
@Suite struct ValueCalls {
    @Test func values() throws {
        let value = try TensorValue(shape: [2, 6], (0..<12).map { Float($0) / 10 })
        #expect(try value.argMax(axis: 1).integers == [5, 5])
        #expect(value[0].shape == [6] && value[0, 3] == 0.3 && value[0, 0] == 0)
        #expect(value[0..<2] == value)
        #expect(abs(value.mean() - 0.55) < 1e-6 && value.max() == 1.1)
        #expect(try value.max(axes: [1]).floats == [0.5, 1.1])
        #expect((value .> 0.5).sum() == 6)
        #expect(try value.array(of: [[Float]].self)[1].count == 6)
        #expect(try TensorValue([[1, 2]]).shape == [1, 2])
    }

    @Test func tensors() async throws {
        let (x, y) = (Tensor.argument("x", [1, 6]), Tensor.filled(1, [1, 6]))
        let condition = try x.greater(0.5)
        let classes = Tensor.constant(TensorValue([3, 1] as [Int32]))
        let tensors = [
            try x * 2 + y, try x.mean(axes: [-1]), try Tensor.select(condition, x, y),
            try x.reshaped(to: [1, 6]), try x.transposed([1, 0]), try x.mean(axes: [1], keepDims: true),
            try x.sum(), try x.argMax(), try x.relu(), try x.sigmoid(), try x.softmax(),
            try Tensor.matmul(x, x, transposeB: true), try Tensor.maximum(x, 0),
            try Tensor.concatenate([x, y]), try classes.oneHot(depth: 10),
        ]
        #expect(
            tensors.map(\.shape) == [
                [1, 6], [1], [1, 6], [1, 6], [6, 1], [1, 1], [], [1], [1, 6], [1, 6], [1, 6], [1, 1], [1, 6],
                [1, 12], [2, 10],
            ])
        let value = TensorValue(repeating: 0.5, shape: [1, 6])
        #expect(try await x.sum().evaluated(["x": value]).scalar == 3)
        let loss = try (x * x).sum()
        #expect(try await loss.evaluated(["x": value]).scalar == 1.5)
        let slopes = try gradient(of: loss, withRespectTo: [x])
        #expect(try await slopes[0].evaluated(["x": value]) == TensorValue(repeating: 1, shape: [1, 6]))
    }
}
