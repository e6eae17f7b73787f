import FoveaGraph
import Testing

/// One thing that shape rules refuse.
private struct Refusal: Sendable, CustomStringConvertible {
    let description: String
    let operation: String
    let build: @Sendable () throws -> Tensor

    init(_ operation: String, _ what: String, _ build: @escaping @Sendable () throws -> Tensor) {
        self.operation = operation
        description = "\(operation): \(what)"
        self.build = build
    }

    init(_ what: String, _ operation: Operation, _ inputs: [TensorType]) {
        self.init(operation.rule.name, what) {
            try Tensor(operation, inputs.map { .argument("x", $0.shape, $0.dtype) })
        }
    }
}

private func float(_ dimensions: Int...) -> TensorType { TensorType(Shape(dimensions), .float32) }
private func int(_ dimensions: Int...) -> TensorType { TensorType(Shape(dimensions), .int32) }
private func bool(_ dimensions: Int...) -> TensorType { TensorType(Shape(dimensions), .bool) }
private let images = float(2, 5, 4, 6)
private let kernel = float(3, 3, 6, 8)
private let huge = Int.max

@Suite struct ShapeErrorTests {
    private static let mistakes: [Refusal] = [
        Refusal("of int32", .unary(.exp), [int(2)]), Refusal("of bool", .unary(.negate), [bool(2)]),
        Refusal("no inputs", .unary(.exp), []), Refusal("two inputs", .unary(.exp), [float(2), float(2)]),
        Refusal("shapes", .binary(.add), [float(2), float(3)]),
        Refusal("types", .binary(.add), [float(2), int(2)]),
        Refusal("of bool", .binary(.multiply), [bool(2), bool(2)]),
        Refusal("of int32", .binary(.power), [int(2), int(2)]),
        Refusal("one input", .binary(.add), [float(2)]),
        Refusal("add", "cannot broadcast") { try Tensor.argument("a", [2, 3]) + .argument("b", [4]) },
        Refusal("add", "batch against another extent") {
            try Tensor.input("a", [3]) + .argument("b", [2, 3])
        },
        Refusal("shapes", .comparison(.less), [float(2), float(2, 1)]),
        Refusal("types", .comparison(.less), [float(2), int(2)]),
        Refusal("a condition that is no bool", .select(Select()), [int(2), float(2), float(2)]),
        Refusal("branches of two types", .select(Select()), [bool(2), float(2), int(2)]),
        Refusal("branches of two shapes", .select(Select()), [bool(2), float(2), float(3)]),
        Refusal("two inputs", .cast(Cast(.int32)), [float(2), float(2)]),
        Refusal("an axis too far", .reduction(.init(.sum, axes: [2], keepDims: false)), [float(2, 3)]),
        Refusal("a negative axis", .reduction(.init(.max, axes: [-1], keepDims: false)), [float(2, 3)]),
        Refusal("an axis twice", .reduction(.init(.mean, axes: [0, 0], keepDims: false)), [float(2, 3)]),
        Refusal("of int32", .reduction(.init(.mean, axes: [0], keepDims: false)), [int(2, 3)]),
        Refusal(
            "of bfloat16", .reduction(.init(.sum, axes: [0], keepDims: false)), [TensorType([2], .bfloat16)]),
        Refusal("of a scalar", .argMax(.init(axis: 0, keepDims: false)), [float()]),
        Refusal("of bool", .argMax(.init(axis: 0, keepDims: false)), [bool(3)]),
        Refusal("counts", .reshape(.init(shape: [7])), [float(2, 3)]),
        Refusal("a batch axis from nowhere", .reshape(.init(shape: [-1, 6])), [float(2, 3)]),
        Refusal("a batch axis lost", .reshape(.init(shape: [6])), [float(-1, 6)]),
        Refusal("two batch axes into one", .reshape(.init(shape: [-1, 2])), [float(-1, -1, 2)]),
        Refusal("an axis twice", .transpose(.init([0, 0])), [float(2, 3)]),
        Refusal("too few axes", .transpose(.init([0])), [float(2, 3)]),
        Refusal("extents", .broadcast(.init(shape: [2, 4])), [float(3)]),
        Refusal("to fewer axes", .broadcast(.init(shape: [3])), [float(1, 3)]),
        Refusal("to extent 1", .broadcast(.init(shape: [1])), [float(3)]),
        Refusal("past the end", .slice(.init(starts: [2], extents: [3], strides: [1])), [float(4)]),
        Refusal("a stride past the end", .slice(.init(starts: [0], extents: [3], strides: [2])), [float(4)]),
        Refusal("a negative start", .slice(.init(starts: [-1], extents: [2], strides: [1])), [float(4)]),
        Refusal("a stride of 0", .slice(.init(starts: [0], extents: [2], strides: [0])), [float(4)]),
        Refusal("a negative stride", .slice(.init(starts: [3], extents: [2], strides: [-1])), [float(4)]),
        Refusal("nothing", .slice(.init(starts: [0], extents: [0], strides: [1])), [float(4)]),
        Refusal("too few axes", .slice(.init(starts: [0], extents: [1], strides: [1])), [float(4, 4)]),
        Refusal("part of a batch axis", .slice(.init(starts: [1], extents: [-1], strides: [1])), [float(-1)]),
        Refusal("one of a batch axis", .slice(.init(starts: [0], extents: [1], strides: [1])), [float(-1)]),
        Refusal("negative", .pad(.init(low: [-1], high: [0], interior: [0], value: 0)), [float(4)]),
        Refusal("negative between", .pad(.init(low: [0], high: [0], interior: [-1], value: 0)), [float(4)]),
        Refusal("a batch axis", .pad(.init(low: [1], high: [0], interior: [0], value: 0)), [float(-1)]),
        Refusal(
            "too many axes", .pad(.init(low: [1, 1], high: [0, 0], interior: [0, 0], value: 0)), [float(4)]),
        Refusal("nothing", .concatenate(.init(axis: 0)), []),
        Refusal("an axis too far", .concatenate(.init(axis: 2)), [float(2, 3)]),
        Refusal("a negative axis", .concatenate(.init(axis: -1)), [float(2, 3)]),
        Refusal("other extents", .concatenate(.init(axis: 0)), [float(2, 3), float(2, 4)]),
        Refusal("ranks", .concatenate(.init(axis: 0)), [float(2, 3), float(2)]),
        Refusal("types", .concatenate(.init(axis: 0)), [float(2), int(2)]),
        Refusal("a batch axis and a fixed one", .concatenate(.init(axis: 0)), [float(-1, 3), float(2, 3)]),
        Refusal("of float32", .oneHot(.init(depth: 3)), [float(2)]),
        Refusal("of depth 0", .oneHot(.init(depth: 0)), [int(2)]),
        Refusal("at float32", .gather(.init(axis: 0)), [float(4), float(2)]),
        Refusal("an axis too far", .gather(.init(axis: 1)), [float(4), int(2)]),
        Refusal("along the batch", .gather(.init(axis: 0)), [float(-1, 4), int(2)]),
        Refusal("other shared axes", .gather(.init(axis: 1, sharedAxes: 1)), [float(4, 3), int(2, 5)]),
        Refusal("a shared axis picked along", .gather(.init(axis: 0, sharedAxes: 1)), [float(4), int(4)]),
        Refusal(
            "more shared axes than indices", .gather(.init(axis: 1, sharedAxes: 1)), [float(4, 3), int()]),
        Refusal("less than no shared axes", .gather(.init(axis: 1, sharedAxes: -1)), [float(4, 3), int(4)]),
        Refusal("of int32", .scatterAdd(.init(axis: 0, extent: 4)), [int(2), int(2)]),
        Refusal(
            "other shared axes", .scatterAdd(.init(axis: 1, extent: 4, sharedAxes: 1)),
            [float(2, 3), int(3, 3)]),
        Refusal(
            "more shared axes than indices", .scatterAdd(.init(axis: 1, extent: 4, sharedAxes: 1)),
            [float(2, 3), int()]),
        Refusal(
            "less than no shared axes", .scatterAdd(.init(axis: 0, extent: 4, sharedAxes: -1)),
            [float(2, 3), int(2)]),
        Refusal("other extents", .scatterAdd(.init(axis: 0, extent: 4)), [float(2, 3), int(3)]),
        Refusal("more indices than axes", .scatterAdd(.init(axis: 1, extent: 4)), [float(2), int(2)]),
        Refusal("a negative extent", .scatterAdd(.init(axis: 0, extent: -1)), [float(2), int(2)]),
        Refusal("a negative axis", .scatterAdd(.init(axis: -1, extent: 4)), [float(2), int(2)]),
        Refusal("inner extents", .matmul(.init()), [float(2, 3), float(2, 3)]),
        Refusal("inner extents, transposed", .matmul(.init(transposeA: true)), [float(2, 3), float(3, 2)]),
        Refusal("rank 1", .matmul(.init()), [float(3), float(3, 2)]),
        Refusal("batch axes", .matmul(.init()), [float(2, 2, 3), float(3, 3, 2)]),
        Refusal("a shared first operand", .matmul(.init()), [float(2, 3), float(4, 3, 2)]),
        Refusal("of int32", .matmul(.init()), [int(2, 3), int(3, 2)]),
        Refusal("types", .matmul(.init()), [float(2, 3), TensorType([3, 2], .bfloat16)]),
        Refusal("rank 3", .convolution(.init()), [float(5, 4, 6), kernel]),
        Refusal("a kernel of rank 3", .convolution(.init()), [images, float(3, 3, 6)]),
        Refusal("channels", .convolution(.init()), [images, float(3, 3, 5, 8)]),
        Refusal("of int32", .convolution(.init()), [int(2, 5, 4, 6), int(3, 3, 6, 8)]),
        Refusal("a kernel larger than the image", .convolution(.init()), [images, float(3, 5, 6, 8)]),
        Refusal(
            "groups that do not divide filters", .convolution(.init(groups: 3)), [images, float(3, 3, 2, 8)]),
        Refusal("groups that do not match", .convolution(.init(groups: 2)), [images, kernel]),
        Refusal("no channels", .convolution(.init()), [float(2, 5, 4, 0), float(3, 3, 0, 8)]),
        Refusal("a symbolic kernel", .convolution(.init()), [images, float(3, 3, -6, 8)]),
        Refusal("a symbolic height", .convolution(.init()), [float(2, -5, 4, 6), kernel]),
        Refusal(
            "upstream of another size",
            .convolutionInputGradient(.init(convolution: .init(), inputSize: [5, 4])),
            [kernel, float(2, 3, 3, 8)]),
        Refusal(
            "rank 3", .convolutionInputGradient(.init(convolution: .init(), inputSize: [5, 4])),
            [float(3, 3, 6), float(2, 3, 2, 8)]),
        Refusal(
            "upstream of another size",
            .convolutionKernelGradient(.init(convolution: .init(), kernelSize: [2, 3])),
            [images, float(2, 3, 2, 8)]),
        Refusal(
            "groups that do not divide",
            .convolutionKernelGradient(.init(convolution: .init(groups: 4), kernelSize: 3)),
            [images, float(2, 3, 2, 8)]),
        Refusal("rank 2", .maxPool(.init(.init(2, strides: 2))), [float(4, 4)]),
        Refusal("of int32", .maxPool(.init(.init(2, strides: 2))), [int(1, 4, 4, 1)]),
        Refusal("a window larger than the image", .maxPool(.init(.init(6, strides: 1))), [images]),
        Refusal("dilated", .maxPool(.init(.init(2, strides: 1, dilations: 2))), [images]),
        Refusal(
            "padding as large as the window",
            .averagePool(.init(.init(2, strides: 1, padding: .init(top: 2)))), [images]),
        Refusal(
            "upstream of another size", .maxPoolGradient(.init(.init(2, strides: 2))),
            [images, float(2, 3, 2, 6)]),
        Refusal(
            "upstream of another size",
            .averagePoolGradient(.init(.init(.init(2, strides: 2)), inputSize: [9, 9])),
            [float(2, 2, 2, 6)]),
        Refusal("an axis too far", .softmax(.init(axis: 1)), [float(3)]),
        Refusal("of int32", .softmax(.init(axis: 0)), [int(3)]),
        Refusal("of a scalar", .softmax(.init(axis: 0, isLogarithmic: true)), [float()]),
        Refusal(
            "a key of three words", .random(.init(.uniform, shape: [2], stream: .numbered(0))), [int(3)]),
    ]

    /// Numbers that no sane program gives, but a damaged file may.
    private static let hostile: [Refusal] = [
        Refusal("no groups", .convolution(.init(groups: 0)), [images, kernel]),
        Refusal("negative groups", .convolution(.init(groups: -2)), [images, float(3, 3, -3, 8)]),
        Refusal("huge groups", .convolution(.init(groups: huge)), [images, kernel]),
        Refusal("strides of 0", .convolution(.init(strides: 0)), [images, kernel]),
        Refusal("negative strides", .convolution(.init(strides: [-1, 1])), [images, kernel]),
        Refusal("dilations of 0", .convolution(.init(dilations: [1, 0])), [images, kernel]),
        Refusal("huge dilations", .convolution(.init(dilations: Size2D(huge, huge))), [images, kernel]),
        Refusal("negative padding", .convolution(.init(padding: .init(left: -1))), [images, kernel]),
        Refusal(
            "huge padding", .convolution(.init(padding: .init(top: huge, bottom: huge))), [images, kernel]),
        Refusal(
            "huge padding, strides and dilations",
            .convolution(
                .init(
                    strides: [huge, 1], dilations: [1, huge],
                    padding: .init(top: huge, left: huge, right: huge))),
            [images, kernel]),
        Refusal("a huge kernel", .convolution(.init()), [images, float(huge, huge, 6, 8)]),
        Refusal("a kernel of no size", .convolution(.init()), [images, float(0, 3, 6, 8)]),
        Refusal(
            "a huge size",
            .convolutionInputGradient(.init(convolution: .init(), inputSize: Size2D(huge, huge))),
            [kernel, float(2, 3, 2, 8)]),
        Refusal(
            "a negative size", .convolutionInputGradient(.init(convolution: .init(), inputSize: [-5, 4])),
            [kernel, float(2, 3, 2, 8)]),
        Refusal(
            "huge groups",
            .convolutionInputGradient(.init(convolution: .init(groups: huge), inputSize: [5, 4])),
            [kernel, float(2, 3, 2, 8)]),
        Refusal(
            "no groups", .convolutionKernelGradient(.init(convolution: .init(groups: 0), kernelSize: 3)),
            [images, float(2, 3, 2, 8)]),
        Refusal(
            "a huge size",
            .convolutionKernelGradient(.init(convolution: .init(), kernelSize: Size2D(huge, huge))),
            [images, float(2, 3, 2, 8)]),
        Refusal(
            "a size of 0", .convolutionKernelGradient(.init(convolution: .init(), kernelSize: 0)),
            [images, float(2, 6, 5, 8)]),
        Refusal("a window of 0", .maxPool(.init(.init(0, strides: 1))), [images]),
        Refusal("strides of 0", .averagePool(.init(.init(2, strides: 0))), [images]),
        Refusal(
            "a huge window in huge padding",
            .maxPool(
                .init(.init(Size2D(huge, huge), strides: 1, padding: .init(top: huge - 1, bottom: huge - 1)))),
            [images]),
        Refusal(
            "a huge size",
            .averagePoolGradient(.init(.init(.init(2, strides: 2)), inputSize: Size2D(huge, 4))),
            [float(2, 2, 2, 6)]),
        Refusal("the last number", .slice(.init(starts: [huge], extents: [2], strides: [huge])), [float(4)]),
        Refusal("a huge stride", .slice(.init(starts: [1], extents: [2], strides: [huge])), [float(4)]),
        Refusal("a huge extent", .slice(.init(starts: [1], extents: [huge], strides: [2])), [float(4)]),
        Refusal("the least extent", .slice(.init(starts: [0], extents: [.min], strides: [2])), [float(4)]),
        Refusal("huge", .pad(.init(low: [huge], high: [huge], interior: [0], value: 0)), [float(4)]),
        Refusal("huge between", .pad(.init(low: [0], high: [0], interior: [huge], value: 0)), [float(4)]),
        Refusal("to a huge shape", .reshape(.init(shape: [huge, 2])), [float(4)]),
        Refusal("to the least extent", .reshape(.init(shape: [.min])), [float(4)]),
        Refusal("one huge shape to another", .reshape(.init(shape: [huge, 2])), [float(huge, 3)]),
        Refusal("to a huge shape", .broadcast(.init(shape: [huge, huge])), [float()]),
        Refusal("huge tensors", .concatenate(.init(axis: 0)), [float(huge), float(huge)]),
        Refusal("a huge depth", .oneHot(.init(depth: huge)), [int(2)]),
        Refusal("a huge axis", .scatterAdd(.init(axis: huge, extent: 1)), [float(2), int(2)]),
        Refusal("a huge extent", .scatterAdd(.init(axis: 0, extent: huge)), [float(2, 2), int(2)]),
        Refusal("a huge axis", .softmax(.init(axis: huge)), [float(3)]),
        Refusal("the least axis", .argMax(.init(axis: .min, keepDims: false)), [float(3)]),
        Refusal("the least axis", .gather(.init(axis: .min)), [float(3), int(2)]),
        Refusal("a huge result", .matmul(.init()), [float(1 << 40, 1), float(1, 1 << 40)]),
        Refusal(
            "of a huge tensor", .reduction(.init(.sum, axes: [0, 1], keepDims: false)), [float(huge, huge)]),
    ]

    @Test(arguments: mistakes + hostile)
    fileprivate func isRefused(_ refusal: Refusal) throws {
        let error = try #require(throws: ShapeError.self) { try refusal.build() }
        // The gradients of convolution and pooling may leave it to the operation itself to complain.
        #expect(refusal.operation.hasPrefix(error.operation))
        #expect(!error.message.isEmpty)
        for shape in error.shapes { #expect(error.description.contains(shape.description)) }
    }

    @Test func errorsNameOperationAndShapes() throws {
        let error = try #require(throws: ShapeError.self) {
            try Tensor.input("x", [28, 28, 1]).convolved(with: .argument("k", [3, 3, 2, 8]))
        }
        #expect(error.shapes == [[Shape.batch, 28, 28, 1], [3, 3, 2, 8]])
        let inner = error.inside("conv2d_1").inside("lenet5")
        #expect(inner.path == ["lenet5", "conv2d_1"])
        #expect(inner.description.hasPrefix("lenet5/conv2d_1: convolution: "))
        #expect(inner.description.hasSuffix("received [batch, 28, 28, 1], [3, 3, 2, 8]"))
    }

    @Test func updateNeedsTheVariablesType() throws {
        let variable = Variable(name: "w", initial: TensorValue([1, Float(2)]))
        for tensor in [Tensor.argument("x", [3]), .argument("x", [2], .int32), .input("x", [])] {
            let error = #expect(throws: ShapeError.self) { try Update(variable, to: tensor) }
            #expect(error?.description.contains("'w'") == true)
        }
    }

    /// Sizes that fit no machine are found when a graph is bound, where they come from sources alone.
    @Test func hugeSourcesAreRefused() {
        let tensors: [Tensor] = [
            .argument("x", [huge, huge]), .input("x", [1 << 40]), .filled(1, [huge, 2]),
            .randomUniform([huge, huge]),
            .argument("x", [.min]),
        ]
        for tensor in tensors {
            #expect(throws: ShapeError.self) {
                try BoundGraph(outputs: [tensor], mode: .training, batch: 1 << 20)
            }
        }
    }

    @Test(arguments: [0, -1, Int.min]) func batchMustBePositive(_ batch: Int) {
        #expect(throws: ShapeError.self) {
            try BoundGraph(outputs: [.input("x", [2])], mode: .training, batch: batch)
        }
    }
}
