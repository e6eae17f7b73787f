import FoveaGraph
import FoveaRuntime

/// How products are formed.
enum ProductArithmetic {
    /// Of float32 numbers with all their bits. Said of every product, because a GPU would leave some out unasked.
    case exact
    /// Of numbers rounded to bfloat16. Sums are float32 in both cases.
    case rounded

    init(_ precision: Precision) {
        // The 11 bits that a GPU's fast float32 products keep are fewer than `float32` promises.
        switch precision {
        case .strict, .float32: self = .exact
        case .mixedBFloat16: self = .rounded
        }
    }
}

extension FunctionText {
    /// An operand as products take it. bfloat16 numbers are exact in either case.
    private mutating func operand(_ x: Value, _ arithmetic: ProductArithmetic) -> Value {
        switch arithmetic {
        case .exact: convert(x, .float32)
        case .rounded: convert(x, .bfloat16)
        }
    }

    mutating func matmul(
        _ rule: MatMul, _ a: Value, _ b: Value, _ result: ValueType, _ arithmetic: ProductArithmetic
    ) -> Value {
        let operands = [operand(a, arithmetic), operand(b, arithmetic)]
        let (rankA, rankB) = (a.type.rank, b.type.rank)
        let batch = rankB == 2 ? [] : Array(0..<(rankA - 2))
        let batching = batch.isEmpty ? "" : ", batching_dims = \(batch) x \(batch)"
        let inner = (rule.transposeA ? rankA - 2 : rankA - 1, rule.transposeB ? rankB - 1 : rankB - 2)
        let product = operation(
            "dot_general", operands,
            attributes: batching
                + ", contracting_dims = [\(inner.0)] x [\(inner.1)], precision = [HIGHEST, HIGHEST]",
            result.of(.float32))
        return convert(product, result.element)
    }

    mutating func convolution(
        _ rule: Convolution, _ images: Value, _ kernel: Value, _ result: ValueType,
        _ arithmetic: ProductArithmetic
    ) -> Value {
        let padding = rule.padding
        return convolved(
            images, kernel, axes: "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]",
            ConvolutionWindow(
                strides: rule.strides, low: Size2D(padding.top, padding.left),
                high: Size2D(padding.bottom, padding.right), kernelDilations: rule.dilations),
            groups: rule.groups, result, arithmetic)
    }

    /// The convolution of the upstream gradient, spread by the strides, with the kernel turned by half a turn.
    mutating func convolutionInputGradient(
        _ rule: ConvolutionInputGradient, _ kernel: Value, _ upstream: Value, _ result: ValueType,
        _ arithmetic: ProductArithmetic
    ) -> Value {
        let (c, outputs) = (rule.convolution, Shape(upstream.type.extents).imageSize)
        let (strides, dilations) = (c.strides, c.dilations)
        let reach = Size2D(
            (kernel.type.extents[0] - 1) * dilations.height, (kernel.type.extents[1] - 1) * dilations.width)
        let low = Size2D(reach.height - c.padding.top, reach.width - c.padding.left)
        let high = Size2D(
            rule.inputSize.height + reach.height - ((outputs.height - 1) * strides.height + 1) - low.height,
            rule.inputSize.width + reach.width - ((outputs.width - 1) * strides.width + 1) - low.width)
        var (kernel, axes) = (kernel, "[b, 0, 1, f]x[0, 1, o, i]->[b, 0, 1, f]")
        if c.groups > 1 {
            // A group's filters become what is summed over, and its channels what comes out.
            let e = kernel.type.extents
            kernel = reshape(kernel, [e[0], e[1], e[2], c.groups, e[3] / c.groups])
            kernel = transpose(kernel, [0, 1, 4, 3, 2])
            kernel = reshape(kernel, [e[0], e[1], e[3] / c.groups, c.groups * e[2]])
            axes = "[b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f]"
        }
        return convolved(
            upstream, kernel, axes: axes,
            ConvolutionWindow(
                strides: 1, low: low, high: high, imageDilations: strides, kernelDilations: dilations,
                isReversed: true), groups: c.groups, result, arithmetic)
    }

    /// The convolution of the images with the upstream gradient as a kernel, the batch being what is summed over.
    mutating func convolutionKernelGradient(
        _ rule: ConvolutionKernelGradient, _ images: Value, _ upstream: Value, _ result: ValueType,
        _ arithmetic: ProductArithmetic
    ) -> Value {
        let c = rule.convolution
        let (inputs, outputs) = (
            Shape(images.type.extents).imageSize, Shape(upstream.type.extents).imageSize
        )
        let (strides, dilations, kernel) = (c.strides, c.dilations, rule.kernelSize)
        let high = Size2D(
            (kernel.height - 1) * dilations.height + (outputs.height - 1) * strides.height + 1
                - inputs.height - c.padding.top,
            (kernel.width - 1) * dilations.width + (outputs.width - 1) * strides.width + 1
                - inputs.width - c.padding.left)
        return convolved(
            images, upstream, axes: "[f, 0, 1, b]x[i, 0, 1, o]->[0, 1, b, f]",
            ConvolutionWindow(
                strides: dilations, low: Size2D(c.padding.top, c.padding.left), high: high,
                kernelDilations: strides), batchGroups: c.groups, result, arithmetic)
    }

    private mutating func convolved(
        _ images: Value, _ kernel: Value, axes: String, _ window: ConvolutionWindow, groups: Int = 1,
        batchGroups: Int = 1, _ result: ValueType, _ arithmetic: ProductArithmetic
    ) -> Value {
        let operands = [operand(images, arithmetic), operand(kernel, arithmetic)]
        let highest = "#stablehlo<precision HIGHEST>"
        let type = result.of(.float32)
        let product = add(
            "stablehlo.convolution(\(names(operands))) dim_numbers = \(axes), window = {\(window)} "
                + "{batch_group_count = \(batchGroups) : i64, feature_group_count = \(groups) : i64, "
                + "precision_config = [\(highest), \(highest)]} : \(signature(operands, type))", type)
        return convert(product, result.element)
    }
}

/// How a kernel moves over images. Negative `low` and `high` take rows and columns away.
private struct ConvolutionWindow: CustomStringConvertible {
    var strides: Size2D
    var low: Size2D
    var high: Size2D
    var imageDilations: Size2D = 1
    var kernelDilations: Size2D = 1
    var isReversed = false

    var description: String {
        func pair(_ size: Size2D) -> String { "[\(size.height), \(size.width)]" }
        return
            "stride = \(pair(strides)), pad = [[\(low.height), \(high.height)], [\(low.width), \(high.width)]], "
            + "lhs_dilate = \(pair(imageDilations)), rhs_dilate = \(pair(kernelDilations)), "
            + "reverse = [\(isReversed), \(isReversed)]"
    }
}
