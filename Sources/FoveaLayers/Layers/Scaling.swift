import FoveaGraph

/// `y = x · scale + offset`: pixels from 0 to 255 to numbers from 0 to 1 with a scale of 1/255. Numbers of their own for each
/// channel are taken along the last axis.
///
/// - Input: any shape, `[…, channels]`; integers become float32.
/// - Output: the input's shape.
/// - Throws: `ShapeError` when a number is not finite, or when there is neither one number for all channels nor one for each.
public final class Rescaling: UnaryLayer {
    public static let typeName = "Rescaling"
    public let name: String?
    /// One for all, or one for each channel.
    public let scale: [Double]
    public let offset: [Double]

    /// - Parameters:
    ///   - scale: what the input is multiplied with.
    ///   - offset: what is then added.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(scale: Double, offset: Double = 0, name: String? = nil) {
        self.init(scale: [scale], offset: [offset], name: name)
    }

    /// - Parameters:
    ///   - scale: what each channel is multiplied with, or one number for all.
    ///   - offset: what is then added.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(scale: [Double], offset: [Double] = [0], name: String? = nil) {
        self.scale = scale
        self.offset = offset
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        guard (scale + offset).allSatisfy({ Float($0).isFinite }) else {
            throw error("scale and offset must be finite, not \(text(scale)) and \(text(offset))", input)
        }
        for (what, numbers) in [("scale", scale), ("offset", offset)] {
            guard numbers.count == 1 || input.rank > 1 && numbers.count == input.channels else {
                throw error(
                    "\(what) has \(numbers.count) numbers; it takes one, or one for each channel along the last axis",
                    input)
            }
        }
    }

    private func text(_ numbers: [Double]) -> String { numbers.count == 1 ? "\(numbers[0])" : "\(numbers)" }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        func constant(_ numbers: [Double]) throws(ShapeError) -> Tensor {
            let ones = [Int](repeating: 1, count: x.shape.rank - 1)
            return .constant(
                try TensorValue(shape: Shape(ones + [numbers.count]), numbers.map { Float($0) }))
        }
        let x = x.asFloatingPoint
        let scaled = scale.count == 1 ? try x * Float(scale[0]) : try x * constant(scale)
        return offset.count == 1 ? try scaled + Float(offset[0]) : try scaled + constant(offset)
    }

    public var configuration: Configuration {
        func value(_ numbers: [Double]) -> ConfigurationValue {
            numbers.count == 1 ? .number(numbers[0]) : .list(numbers.map { .number($0) })
        }
        return ["scale": value(scale), "offset": value(offset)]
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            scale: try configuration.numberOrNumbers("scale"),
            offset: try configuration.numberOrNumbers("offset"), name: name)
    }
}

extension Tensor {
    fileprivate var asFloatingPoint: Tensor { dtype.isFloatingPoint ? self : cast(to: .float32) }
}

/// Shifts and scales each channel by fixed numbers, `y = (x - mean) / max(√variance, 1e-7)`, so that data with this mean and
/// variance get mean 0 and variance 1.
///
/// ```swift
/// let normalization = try Normalization(adaptedTo: images)
/// let model = try Sequential(input: [32, 32, 3]) {
///     normalization
///     Conv2D(filters: 32, kernelSize: 3, activation: .relu)
/// }
/// ```
///
/// The numbers belong to the architecture, not to the parameters: they are saved and read with it, in full precision, and
/// training does not change them.
///
/// - Input: `[batch, …, channels]`, or with the channels elsewhere if `axis` says so; integers become float32.
/// - Output: the input's shape.
/// - Throws: `ShapeError` when there is not one mean and one variance for each channel or for all, when one is not finite or a
///   variance is negative.
public final class Normalization: UnaryLayer {
    public static let typeName = "Normalization"
    public let name: String?
    public let axis: Int
    public let mean: [Double]
    public let variance: [Double]

    /// - Parameters:
    ///   - axis: that of the channels; -1 is the last. Not 0, the batch.
    ///   - mean: one for each channel, or one for all.
    ///   - variance: as many.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(axis: Int = -1, mean: [Double], variance: [Double], name: String? = nil) {
        self.axis = axis
        self.mean = mean
        self.variance = variance
        self.name = name
    }

    /// Takes mean and (biased) variance of each channel from data, computed in float64.
    ///
    /// - Parameters:
    ///   - data: examples `[examples, …, channels]` of any element type.
    ///   - axis: that of the channels; -1 is the last. Not 0, that of the examples.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    /// - Throws: `ShapeError` when there are no data or when they are not finite.
    public convenience init(adaptedTo data: TensorValue, axis: Int = -1, name: String? = nil)
        throws(ShapeError)
    {
        let (shape, values) = (data.shape, data.doubles)
        let place = axis < 0 ? axis.addingReportingOverflow(shape.rank).partialValue : axis
        guard (1..<max(1, shape.rank)).contains(place), !values.isEmpty else {
            throw ShapeError(
                Self.typeName,
                "it adapts to examples [examples, …] of at least one number, along one of their axes, not "
                    + "along axis \(axis)", shapes: [shape])
        }
        let (stride, channels) = (shape.rowMajorStrides[place], shape[place])
        let count = Double(values.count / channels)
        func means(_ term: (Double, Int) -> Double) -> [Double] {
            var sums = [Double](repeating: 0, count: channels)
            for (index, value) in values.enumerated() {
                let channel = index / stride % channels
                sums[channel] += term(value, channel)
            }
            return sums.map { $0 / count }
        }
        let mean = means { value, _ in value }
        let variance = means { value, channel in (value - mean[channel]) * (value - mean[channel]) }
        guard (mean + variance).allSatisfy(\.isFinite) else {
            throw ShapeError(
                Self.typeName, "the data are not finite; leave out what is damaged", shapes: [shape])
        }
        self.init(axis: axis, mean: mean, variance: variance, name: name)
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        let channels = input[try exampleAxis(axis, of: input)]
        guard mean.count == variance.count, mean.count == channels || mean.count == 1 else {
            throw error(
                "\(mean.count) means and \(variance.count) variances are not one of each for each of the "
                    + "\(channels) channels along axis \(axis), or one for all", input)
        }
        guard (mean + variance).allSatisfy({ Float($0).isFinite }), variance.allSatisfy({ $0 >= 0 }) else {
            throw error("means and variances must be finite, and variances not negative", input)
        }
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        var shape = Shape([Int](repeating: 1, count: x.shape.rank))
        shape[try exampleAxis(axis, of: x.shape)] = mean.count
        // Keras's least deviation.
        let factor = variance.map { 1 / max($0.squareRoot(), 1e-7) }
        func constant(_ numbers: [Double]) throws(ShapeError) -> Tensor {
            .constant(try TensorValue(shape: shape, numbers.map { Float($0) }))
        }
        return try (x.asFloatingPoint - constant(mean)) * constant(factor)
    }

    public var configuration: Configuration {
        [
            "axis": .integer(axis), "mean": .list(mean.map { .number($0) }),
            "variance": .list(variance.map { .number($0) }),
        ]
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            axis: try configuration.integer("axis"), mean: try configuration.numbers("mean"),
            variance: try configuration.numbers("variance"), name: name)
    }
}
