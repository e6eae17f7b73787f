import FoveaGraph
import FoveaOneDNN
import FoveaPlanner
import FoveaRuntime
import TestSupport
import Testing

/// Blocks that begin with an expansion and a depthwise convolution, in one call where the CPU's kernels do both, against the reference.
@Suite struct ExpandedDepthwiseTests {
    struct Case: CustomTestStringConvertible {
        var images: Shape
        var filters: Int
        var window = 3
        var strides: Size2D = 1
        var padding = Padding2D(top: 1, bottom: 1, left: 1, right: 1)
        var isLimited = true
        var isBiased = true

        var testDescription: String { "\(images) to \(filters), window \(window), strides \(strides)" }
    }

    static let cases = [
        Case(images: [2, 9, 7, 16], filters: 96),
        Case(images: [1, 12, 13, 24], filters: 144, strides: 2),
        // As Keras pads for strides of 2, and without padding.
        Case(
            images: [3, 8, 8, 3], filters: 48, strides: 2,
            padding: Padding2D(top: 0, bottom: 1, left: 0, right: 1)),
        Case(images: [1, 6, 5, 40], filters: 32, padding: .none, isLimited: false),
        Case(
            images: [2, 5, 5, 20], filters: 80, window: 5,
            padding: Padding2D(top: 2, bottom: 2, left: 2, right: 2), isBiased: false),
        Case(images: [1, 1, 1, 32], filters: 64),
        // Filters that fill no blocks.
        Case(images: [2, 6, 6, 4], filters: 24),
    ]

    private func block(_ testCase: Case) throws -> Tensor {
        var generator = PhiloxGenerator(seed: 8, stream: 0, step: 0)
        func weights(_ shape: Shape) -> Tensor {
            let value = TensorValue(
                shape: shape, dtype: .float32,
                doubles: (0..<shape.elementCount).map { _ in generator.uniform() - 0.4 })
            return Tensor(Variable(name: "weights", initial: value))
        }
        func finished(_ y: Tensor) throws -> Tensor {
            let sum = try testCase.isBiased ? y + weights([testCase.filters]) : y
            let relu = try sum.relu()
            return try testCase.isLimited ? .minimum(relu, .filled(6, relu.shape)) : relu
        }
        let x = Tensor.argument("x", testCase.images)
        let expanded = try finished(
            x.convolved(with: weights([1, 1, testCase.images.channels, testCase.filters])))
        let rule = Convolution(
            strides: testCase.strides, padding: testCase.padding, groups: testCase.filters)
        let y = try finished(
            expanded.convolved(
                with: weights([testCase.window, testCase.window, 1, testCase.filters]), rule))
        return try y.convolved(with: weights([1, 1, testCase.filters, 16]))
    }

    private func images(_ shape: Shape) -> [Float] {
        (0..<shape.elementCount).map { Float($0 * 7919 % 1000) / 500 - 1 }
    }

    @Test(arguments: cases) @Compute func equalReference(testCase: Case) throws {
        let y = try block(testCase)
        let values = ["x": try TensorValue(shape: testCase.images, images(testCase.images))]
        let expected = try ReferenceBackend().compile(outputs: [y], mode: .inference, batch: 1)
            .run(values, step: 0)[0]
        for precision in [Precision.strict, .float32] {
            let backend = OneDNNBackend(precision: precision)
            let actual = try backend.compile(outputs: [y], mode: .inference, batch: 1).run(values, step: 0)[0]
            expectClose(
                actual, expected, relativeTolerance: precision == .strict ? 1e-5 : 1e-4, "\(precision)")
        }
    }

    /// One call where other kernels have blocks of 16 channels too.
    @Test(arguments: cases) @Compute func isOneCall(testCase: Case) throws {
        let graph = try BoundGraph(outputs: [block(testCase)], mode: .inference, batch: 1)
        let plan = try OneDNNBackend(precision: .strict).plan(graph)
        let calls = plan.calls.filter { $0.request is ExpandedDepthwiseRequest }
        let isPossible = OneDNNBackend.vectorKind == "avx512" && testCase.filters.isMultiple(of: 16)
        #expect(calls.count == (isPossible ? 1 : 0))
    }

    /// What is not a number reaches what sees it and nothing else, through ReLUs and their limits.
    @Test(arguments: cases) @Compute func notANumberIsKept(testCase: Case) throws {
        let y = try block(testCase)
        var images = images(testCase.images)
        images[images.count / 2] = .nan
        let values = ["x": try TensorValue(shape: testCase.images, images)]
        let results = try [ReferenceBackend() as any Backend, OneDNNBackend(precision: .strict)].map {
            try $0.compile(outputs: [y], mode: .inference, batch: 1).run(values, step: 0)[0]
                .floats.map(\.isNaN)
        }
        #expect(results[0] == results[1])
        #expect(results[0].contains(true))
    }
}
