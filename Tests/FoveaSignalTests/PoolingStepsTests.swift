import FoveaGraph
import FoveaSignal
import Testing

@Suite struct PoolingStepsTests {
    @Test func theLargestOfEachQuarter() throws {
        let image = try TensorValue(rows: [[1, 3, 2, 1], [4, 6, 6, 8], [3, 1, 1, 0], [1, 2, 2, 4]])
        let steps = try PoolingSteps(image: image, kind: .max, poolSize: 2)
        #expect(steps.output == (try TensorValue(rows: [[6, 8], [3, 4]])))
        #expect(steps.steps.map { [$0.top, $0.left] } == [[0, 0], [0, 2], [2, 0], [2, 2]])
        #expect(steps.steps[2].patch == [[3, 1], [1, 2]])
    }

    @Test(arguments: PoolingSteps.Kind.allCases, [Size2D(1, 1), Size2D(2, 3), Size2D(3, 1)])
    func theOutputIsThatOfTheOperation(_ kind: PoolingSteps.Kind, _ strides: Size2D) async throws {
        let numbers = (0..<7 * 8).map { Float(($0 * 37) % 23) - 9 }
        let image = try TensorValue(shape: [7, 8], numbers)
        let steps = try PoolingSteps(image: image, kind: kind, poolSize: Size2D(3, 2), strides: strides)
        let batch = try Tensor.constant(image).reshaped(to: [1, 7, 8, 1])
        let window = SlidingWindow(Size2D(3, 2), strides: strides)
        let pooled = try kind == .max ? batch.maxPooled(window) : batch.averagePooled(window)
        #expect(try await pooled.evaluated().floats == steps.output.floats)
    }

    @Test func nanStaysNaN() throws {
        let image = try TensorValue(rows: [[1, .nan], [3, 4]])
        for kind in PoolingSteps.Kind.allCases {
            #expect(try PoolingSteps(image: image, kind: kind, poolSize: 2).output.floats[0].isNaN)
        }
    }

    @Test func windowsThatDoNotFitAreRefused() throws {
        let image = TensorValue(repeating: 0, shape: [2, 2])
        #expect(throws: ShapeError.self) { try PoolingSteps(image: image, kind: .max, poolSize: 3) }
        #expect(throws: ShapeError.self) { try PoolingSteps(image: image, kind: .max, poolSize: 0) }
        #expect(throws: ShapeError.self) {
            try PoolingSteps(image: TensorValue(repeating: 0, shape: [2, 2, 1]), kind: .max, poolSize: 1)
        }
        #expect(throws: ShapeError.self) {
            try PoolingSteps(image: TensorValue(repeating: 0, shape: [2000, 2000]), kind: .max, poolSize: 1)
        }
    }
}
