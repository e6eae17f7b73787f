import Foundation
import FoveaGraph
import TestSupport
import Testing

/// Small results worked out by hand.
@Suite struct KnownValueTests {
    /// An image of one channel with the pixels 1, 2, 3 and so on, row by row.
    private func image(_ height: Int, _ width: Int) throws -> Tensor {
        .constant(try TensorValue(shape: [1, height, width, 1], (1...(height * width)).map(Float.init)))
    }

    @Compute private func floats(_ tensor: Tensor) throws -> [Float] { try evaluate([tensor])[0].floats }

    private func kernel(_ height: Int, _ width: Int, _ elements: [Float]) throws -> Tensor {
        .constant(try TensorValue(shape: [height, width, 1, 1], elements))
    }

    /// The kernel is not flipped.
    @Test @Compute func convolution() throws {
        let y = try image(3, 3).convolved(with: kernel(2, 2, [1, 10, 100, 1000]))
        #expect(try floats(y) == [5421, 6532, 8754, 9865])
        #expect(y.shape == [1, 2, 2, 1])
    }

    @Test @Compute func convolutionWithPaddingAboveAndRight() throws {
        let rule = Convolution(padding: Padding2D(top: 1, right: 1))
        let y = try image(2, 2).convolved(with: kernel(2, 2, [1, 10, 100, 1000]), rule)
        #expect(try floats(y) == [2100, 200, 4321, 402])
    }

    @Test @Compute func convolutionWithUnequalStridesAndDilations() throws {
        let rule = Convolution(strides: [2, 1], dilations: [1, 2], padding: Padding2D(bottom: 1))
        let y = try image(3, 4).convolved(with: kernel(2, 2, [1, 10, 100, 1000]), rule)
        #expect(y.shape == [1, 2, 2, 1])
        #expect(try floats(y) == [7531, 8642, 119, 130])
    }

    /// Group g sees channel group g alone: filters 0 and 1 the first channel, 2 and 3 the second.
    @Test @Compute func groupedConvolution() throws {
        let x = Tensor.constant(try TensorValue(shape: [1, 1, 1, 2], [3, 5]))
        let k = Tensor.constant(try TensorValue(shape: [1, 1, 1, 4], [1, 10, 100, 1000]))
        #expect(try floats(x.convolved(with: k, Convolution(groups: 2))) == [3, 30, 500, 5000])
    }

    @Test @Compute func channelsAreSummedForEachFilter() throws {
        let x = Tensor.constant(try TensorValue(shape: [1, 1, 1, 2], [3, 5]))
        let k = Tensor.constant(try TensorValue(shape: [1, 1, 2, 2], [1, 10, 100, 1000]))
        #expect(try floats(x.convolved(with: k)) == [503, 5030])
    }

    @Test @Compute func convolutionGradients() throws {
        let (x, k) = (try image(2, 3), try kernel(2, 2, [1, 10, 100, 1000]))
        let weights = Tensor.constant(try TensorValue(shape: [1, 1, 2, 1], [1, 2]))
        let loss = try (x.convolved(with: k) * weights).sum()
        let slopes = try evaluate(gradient(of: loss, withRespectTo: [x, k]))
        #expect(slopes[0].floats == [1, 12, 20, 100, 1200, 2000])
        #expect(slopes[1].floats == [5, 8, 14, 17])
    }

    @Test @Compute func maxPoolWithPaddingAboveAndLeft() throws {
        let window = SlidingWindow(2, strides: 2, padding: Padding2D(top: 1, left: 1))
        let x = try image(3, 3).negated()
        #expect(try floats(x.maxPooled(window)) == [-1, -2, -4, -5])
        let weights = Tensor.constant(try TensorValue(shape: [1, 2, 2, 1], [1, 2, 3, 4]))
        let slope = try gradient(of: (x.maxPooled(window) * weights).sum(), withRespectTo: [x])
        #expect(try floats(slope[0]) == [1, 2, 0, 3, 4, 0, 0, 0, 0])
    }

    @Test @Compute func averagePoolWithPaddingBelowAndRight() throws {
        let window = SlidingWindow(2, strides: 2, padding: Padding2D(bottom: 1, right: 1))
        let x = try image(3, 3)
        #expect(try floats(x.averagePooled(window)) == [3, 4.5, 7.5, 9])
        #expect(try floats(x.averagePooled(window, countsPadding: true)) == [3, 2.25, 3.75, 2.25])
        let slope = try gradient(of: x.averagePooled(window).sum(), withRespectTo: [x])
        #expect(try floats(slope[0]) == [0.25, 0.25, 0.5, 0.25, 0.25, 0.5, 0.5, 0.5, 1])
    }

    @Test @Compute func movement() throws {
        let x = Tensor.constant(try TensorValue(shape: [2, 3], [1, 2, 3, 4, 5, 6]))
        #expect(try floats(x.transposed([1, 0])) == [1, 4, 2, 5, 3, 6])
        #expect(try floats(x.sliced(starts: [1, 0], extents: [1, 2], strides: [1, 2])) == [4, 6])
        #expect(
            try floats(x.padded(low: [0, 1], high: [0, 0], interior: [0, 1], value: 9))
                == [9, 1, 9, 2, 9, 3, 9, 4, 9, 5, 9, 6])
        #expect(
            try floats(.concatenate([x, x.sliced(starts: [0, 0], extents: [2, 1])])) == [
                1, 2, 3, 1, 4, 5, 6, 4,
            ])
        let indices = Tensor.constant(TensorValue([2, -1, 0, Int32(3)]))
        #expect(try floats(x.gathered(at: indices, axis: 1)) == [3, 0, 1, 0, 6, 0, 4, 0])
        #expect(try floats(indices.oneHot(depth: 2)) == [0, 0, 0, 0, 1, 0, 0, 0])
        let scattered = try Tensor(
            .scatterAdd(ScatterAdd(axis: 1, extent: 2)), [x, .constant(TensorValue([1, 1, Int32(0)]))])
        #expect(try floats(scattered) == [3, 3, 6, 9])
    }

    @Test @Compute func products() throws {
        let a = Tensor.constant(try TensorValue(shape: [2, 3], [1, 2, 3, 4, 5, 6]))
        let b = Tensor.constant(try TensorValue(shape: [3, 2], [1, 0, 0, 1, 2, 2]))
        let product: [Float] = [7, 8, 16, 17]
        #expect(try floats(.matmul(a, b)) == product)
        #expect(try floats(.matmul(a.transposed([1, 0]), b, transposeA: true)) == product)
        #expect(try floats(.matmul(a, b.transposed([1, 0]), transposeB: true)) == product)
        #expect(
            try floats(
                .matmul(a.transposed([1, 0]), b.transposed([1, 0]), transposeA: true, transposeB: true))
                == product)
    }

    @Test @Compute func reductions() throws {
        let x = Tensor.constant(try TensorValue(shape: [2, 3], [1, 5, 3, 4, 2, 6]))
        #expect(try floats(x.sum(axes: [0])) == [5, 7, 9])
        #expect(try floats(x.mean(axes: [-1])) == [3, 4])
        #expect(try floats(x.max()) == [6])
        #expect(try floats(x.sum(axes: [])) == [1, 5, 3, 4, 2, 6])
        #expect(try floats(x.argMax()) == [1, 2])
        #expect(try floats(x.argMax(axis: 0, keepDims: true)) == [1, 0, 1])
    }

    @Test @Compute func integersDivideTowardZeroAndByZeroGiveZero() throws {
        let a = Tensor.constant(TensorValue([7, -7, 7, -7, Int32(5)]))
        let b = Tensor.constant(TensorValue([2, 2, -2, -2, Int32(0)]))
        #expect(try floats(a / b) == [3, -3, -3, 3, 0])
    }

    @Test @Compute func softmaxOfEqualsIsEven() throws {
        let x = Tensor.constant(try TensorValue(shape: [2, 4], [1, 1, 1, 1, 1e4, 1e4, -1e4, -1e4]))
        #expect(try floats(x.softmax()) == [0.25, 0.25, 0.25, 0.25, 0.5, 0.5, 0, 0])
        let logarithms = try floats(x.logSoftmax())
        #expect(logarithms[6] == Float(-20000 - log(2.0)) && logarithms.allSatisfy { $0.isFinite })
    }

    @Test @Compute func notANumberIsNotHidden() throws {
        let x = Tensor.constant(TensorValue([1, .nan, Float(2)]))
        #expect(try floats(x.max()).allSatisfy { $0.isNaN })
        #expect(try floats(.maximum(x, 5))[1].isNaN)
        #expect(try floats(.minimum(x, 5))[1].isNaN)
        #expect(try floats(x.relu())[1].isNaN)
        #expect(try floats(x.argMax()) == [1])
        for number in [Float.nan, .infinity] {
            for place in 0..<3 {
                var row: [Float] = [1, 0, 2]
                row[place] = number
                let x = Tensor.constant(
                    try TensorValue(shape: [2, 3], row + [-.infinity, 0, -.infinity]))
                let (powers, logarithms) = (try floats(x.softmax()), try floats(x.logSoftmax()))
                #expect((powers[..<3] + logarithms[..<3]).allSatisfy { $0.isNaN })
                #expect(powers[3...] == [0, 1, 0] && logarithms[3...] == [-.infinity, 0, -.infinity])
            }
        }
    }
}
