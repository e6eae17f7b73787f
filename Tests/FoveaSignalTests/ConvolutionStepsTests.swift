import FoveaGraph
import FoveaSignal
import Testing

@Suite struct ConvolutionStepsTests {
    private let image = TensorValue([1, 2, 3, 4, 5, 6] as [Float])

    @Test func eachStepShowsPatchProductsAndSum() throws {
        let steps = try ConvolutionSteps(
            image: image.reshaped(to: [2, 3]), kernel: TensorValue(rows: [[1, 0], [-1, 2]]), mode: .valid)
        #expect(steps.kernel == [[2, -1], [0, 1]])
        #expect(steps.outputSize == Size2D(1, 2))
        #expect(steps.steps.map(\.column) == [0, 1] && steps.steps.map(\.row) == [0, 0])
        let second = steps.steps[1]
        #expect((second.top, second.left) == (0, 1))
        #expect(second.patch == [[2, 3], [5, 6]])
        #expect(second.products == [[4, -3], [0, 6]])
        #expect(second.sum == 7)
        #expect(try steps.output == TensorValue(shape: [1, 2], [5, 7]))
    }

    @Test func windowsReachOutsideByPaddingAndBoundary() throws {
        let square = try image.reshaped(to: [2, 3])
        let ones = TensorValue(repeating: 1, shape: [3, 3])
        let zeros = try ConvolutionSteps(image: square, kernel: ones, mode: .valid, padding: 1)
        #expect((zeros.steps[0].top, zeros.steps[0].left) == (-1, -1))
        #expect(zeros.steps[0].patch == [[0, 0, 0], [0, 1, 2], [0, 4, 5]])
        let wrapped = try ConvolutionSteps(
            image: square, kernel: ones, mode: .same, stride: [1, 2], boundary: .wrap)
        #expect(wrapped.outputSize == Size2D(2, 2))
        #expect((wrapped.steps[1].top, wrapped.steps[1].left) == (-1, 1))
        #expect(wrapped.steps[1].patch == [[5, 6, 4], [2, 3, 1], [5, 6, 4]])
        let filled = try ConvolutionSteps(image: square, kernel: ones, mode: .full, boundary: .constant(-1))
        #expect(filled.steps[0].patch == [[-1, -1, -1], [-1, -1, -1], [-1, -1, 1]])
    }

    @Test func theTextIsAligned() throws {
        let steps = try ConvolutionSteps(
            image: TensorValue(rows: [[1, 12, 0.5], [-4, 0, 1e-7]]), kernel: TensorValue(rows: [[-1], [10]]),
            mode: .valid, method: .crossCorrelation)
        #expect(
            steps.description == """
                step 1 of 3: output (0, 0), window at row 0, column 0
                   1     -1      -1
                  -4  ×  10  =  -40
                  sum = -41

                step 2 of 3: output (0, 1), window at row 0, column 1
                  12     -1     -12
                   0  ×  10  =    0
                  sum = -12

                step 3 of 3: output (0, 2), window at row 0, column 2
                    0.5     -1      -0.5
                  1e-07  ×  10  =  1e-06
                  sum = -0.5
                """)
    }

    @Test func badInputIsRefused() throws {
        let kernel = TensorValue(repeating: 1, shape: [3, 3])
        func expectError(_ text: String, _ body: () throws -> ConvolutionSteps) {
            let error = #expect(throws: ShapeError.self) { _ = try body() }
            #expect(error?.description.contains(text) == true)
        }
        expectError("an image [height, width]") { try ConvolutionSteps(image: image, kernel: kernel) }
        expectError("larger than 2×2") {
            try ConvolutionSteps(
                image: TensorValue(repeating: 1, shape: [2, 2]), kernel: kernel, mode: .valid)
        }
        expectError("empty") {
            try ConvolutionSteps(image: TensorValue(repeating: 1, shape: [0, 2]), kernel: kernel)
        }
        expectError("too many to list") {
            try ConvolutionSteps(image: TensorValue(repeating: 1, shape: [400, 400]), kernel: kernel)
        }
    }
}
