import FoveaGraph
import FoveaRuntime
import FoveaSignal
import Testing

@Suite struct ConvolutionErrorTests {
    private func tensor(_ shape: Shape, _ dtype: DType = .float32) -> Tensor {
        .argument("x", shape, dtype)
    }

    private func expectError(
        _ text: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Tensor
    ) {
        let error = #expect(throws: ShapeError.self, sourceLocation: sourceLocation) { _ = try body() }
        let description = error?.description ?? ""
        #expect(description.contains(text), sourceLocation: sourceLocation)
    }

    @Test func shapesAndTypes() {
        let kernel = tensor([3])
        expectError("[length] or [batch, length]") { try convolve1D(tensor([]), kernel) }
        expectError("[length] or [batch, length]") { try convolve1D(tensor([1, 2, 3]), kernel) }
        expectError("[length] or [batch, length]") { try convolve1D(tensor([Shape.batch]), kernel) }
        expectError("[length] or [batch, length]") { try convolve1D(tensor([5]), tensor([1, 3])) }
        expectError("empty") { try convolve1D(tensor([0]), kernel) }
        expectError("empty") { try convolve2D(tensor([2, 3, 0]), tensor([1, 1])) }
        expectError("kernel must have from 1") { try convolve1D(tensor([5]), tensor([0])) }
        expectError("kernel must have from 1") { try convolve1D(tensor([5]), tensor([Shape.batch])) }
        expectError("kernel must have from 1") { try convolve2D(tensor([5, 5]), tensor([3, 0])) }
        expectError("cast them first") { try convolve1D(tensor([5], .uint8), tensor([3], .uint8)) }
        expectError("cast them first") { try convolve1D(tensor([5]), tensor([3], .bfloat16)) }
        expectError("images [height, width]") { try convolve2D(tensor([5]), tensor([3, 3])) }
        expectError("images [height, width]") { try convolve2D(tensor([5, Shape.batch]), tensor([3, 3])) }
        expectError("images [height, width]") { try convolve2D(tensor([1, 1, 5, 5, 1]), tensor([3, 3])) }
        expectError("images [height, width]") { try convolve2D(tensor([5, 5]), tensor([3, 3, 1, 1])) }
        expectError("received [2, 5, 5, 0]") { try convolve2D(tensor([2, 5, 5, 0]), tensor([3, 3])) }
        expectError("float32 images") { try filterBankResponse(tensor([5, 5]), []) }
    }

    @Test func numbers() {
        let (signal, image, kernel) = (tensor([9]), tensor([9, 9]), tensor([3, 3]))
        for bad in [0, -1, Int.min] {
            expectError("stride must be positive") { try convolve1D(signal, tensor([3]), stride: bad) }
            expectError("stride must be positive") { try convolve2D(image, kernel, stride: Size2D(1, bad)) }
        }
        for bad in [-1, Int.min, Int.max] {
            expectError("padding") { try convolve1D(signal, tensor([3]), padding: bad) }
            expectError("padding") { try convolve2D(image, kernel, padding: Size2D(bad, 0)) }
        }
        expectError("10×9 is larger than 9×9. Use .same") {
            try convolve2D(image, tensor([10, 9]), mode: .valid)
        }
        expectError("exchange") { try convolve1D(signal, tensor([12]), mode: .valid, padding: 1) }
        expectError("use less padding") { try convolve2D(image, kernel, padding: 1_048_576) }
        expectError("above 2²⁶") { try convolve1D(tensor([1 << 40]), tensor([3])) }
        expectError("2²⁴") { try convolve1D(signal, tensor([1 << 30])) }
        expectError("2²⁴") { try convolve2D(image, tensor([1 << 31, 1 << 31])) }
        expectError("any memory") {
            try convolve2D(tensor([1 << 40, 1 << 10, 1 << 10]), kernel)
        }
    }

    @Test func aStrideBeyondTheEndLeavesTheFirstOutput() async throws {
        let result = try await convolution1D(TensorValue([1.0, 2, 3]), TensorValue([1.0, 1]), stride: .max)
        #expect(result == TensorValue([1.0]))
    }

    @Test func valuesAndEvaluation() async throws {
        #expect(throws: ShapeError.self) { try TensorValue(rows: []) }
        #expect(throws: ShapeError.self) { try TensorValue(rows: [[]]) }
        #expect(throws: ShapeError.self) { try TensorValue(rows: [[1, 2], [3]]) }
        let x = Tensor.argument("x", [4])
        let sum = try convolve1D(x, .constant(Kernels.movingAverage(2)), mode: .valid)
        #expect(try await sum.evaluated(["x": TensorValue([1.0, 3, 5, 9])]).floats == [2, 4, 7])
        await #expect(throws: RunError.missingInput("x")) { try await sum.evaluated() }
        await #expect(throws: RunError.self) { try await sum.evaluated(["x": TensorValue([1.0])]) }
        await #expect(throws: RunError.self) {
            try await sum.evaluated(["x": TensorValue([1.0, 3, 5, 9]), "y": TensorValue(1)])
        }
        // A batch axis takes the size asked for.
        let batch = try convolve1D(.input("x", [2]), .constant(Kernels.difference), mode: .valid)
        let values = try TensorValue(shape: [3, 2], [1, 2, 3, 5, 7, 4])
        #expect(try await batch.evaluated(["x": values], batch: 3).floats == [1, 2, -3])
    }
}
