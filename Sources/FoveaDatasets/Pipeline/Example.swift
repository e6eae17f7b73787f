import FoveaGraph

/// One example: the inputs and targets of a model without an axis that counts examples.
public struct Example: Equatable, Sendable {
    /// In the model's order, such as one uint8 image `[height, width, channels]`.
    public let inputs: [TensorValue]
    /// In the order of the model's outputs, such as one int32 class number `[]`.
    public let targets: [TensorValue]
    /// How much it counts in losses and metrics; 1 when nil.
    public let weight: Float?
    /// Whether the target is the input, as `ClassMode.input` makes it, so that both have to change together.
    let targetIsInput: Bool

    public init(inputs: [TensorValue], targets: [TensorValue], weight: Float? = nil) {
        self.inputs = inputs
        self.targets = targets
        self.weight = weight
        targetIsInput = false
    }

    init(
        inputs: [TensorValue], targets: [TensorValue], weight: Float?, targetIsInput: Bool
    ) {
        self.inputs = inputs
        self.targets = targets
        self.weight = weight
        self.targetIsInput = targetIsInput
    }

    /// An example of a class, for a model with one input and one output.
    ///
    /// - Parameters:
    ///   - input: such as a uint8 image `[height, width, channels]`.
    ///   - label: in `0..<classCount`.
    ///   - mode: in which form the model's loss takes labels.
    /// - Throws: as `ClassMode.targets`.
    public init(
        _ input: TensorValue, label: Int, classCount: Int, mode: ClassMode = .sparse
    ) throws(DatasetError) {
        self.init(
            inputs: [input], targets: try mode.targets(label: label, classCount: classCount, input: input),
            weight: nil, targetIsInput: mode == .input)
    }

    /// The bytes of all tensors.
    var byteCount: Int { (inputs + targets).reduce(0) { $0 + $1.storage.count * $1.dtype.byteCount } }
}

/// In which form labels become targets: Keras's `class_mode`.
public enum ClassMode: String, CaseIterable, Codable, Sendable {
    /// An int32 class number `[]`, for `sparseCategoricalCrossentropy`.
    case sparse
    /// A 1 in the place of the class and 0 elsewhere, float32 `[classes]`, for `categoricalCrossentropy`.
    case categorical
    /// 0 or 1 as float32 `[]`, for `binaryCrossentropy` with two classes.
    case binary
    /// The input itself as float32, for autoencoders; of uint8 images 0...1, as a model sees them. Where the image is
    /// augmented, the augmented one.
    case input
    /// No target, for predictions.
    case none

    /// The targets of one example.
    ///
    /// - Throws: `DatasetError` when the label is not in `0..<classCount`, or for `binary` when there are not two classes.
    public func targets(
        label: Int, classCount: Int, input: TensorValue
    ) throws(DatasetError) -> [TensorValue] {
        switch self {
        case .none: return []
        case .input:
            let scale: Float = input.dtype == .uint8 ? 1 / 255 : 1
            let numbers = scale == 1 ? input.floats : input.floats.map { $0 / 255 }
            return [TensorValue(unchecked: input.shape, .float32(numbers))]
        case .sparse, .categorical, .binary: break
        }
        guard label >= 0, label < classCount, label <= Int32.max else {
            throw DatasetError(
                .labelOutOfRange,
                "the label is \(label); with \(classCount) classes labels are 0...\(classCount - 1)")
        }
        switch self {
        case .sparse: return [TensorValue(unchecked: .scalar, .int32([Int32(label)]))]
        case .categorical:
            guard classCount <= 1 << 28 else {
                throw DatasetError(
                    .tooLarge, "\(classCount) classes are too many for a number for each; use sparse targets")
            }
            var row = [Float](repeating: 0, count: classCount)
            row[label] = 1
            return [TensorValue(row)]
        default:
            guard classCount == 2 else {
                throw DatasetError(
                    .labelOutOfRange, "binary targets need 2 classes, not \(classCount); use sparse ones")
            }
            return [TensorValue(Float(label))]
        }
    }
}

extension Examples {
    /// One example after the other.
    ///
    /// - Throws: `DatasetError` when there are none, or one has other shapes or types than the first, or a weight where that
    ///   has none.
    public init(stacking examples: [Example]) throws(DatasetError) {
        guard let first = examples.first else {
            throw DatasetError(.invalidArgument, "no examples to put together; at least one is needed")
        }
        func types(_ values: [TensorValue]) -> [TensorType] { values.map { TensorType($0.shape, $0.dtype) } }
        func text(_ example: Example) -> String {
            let parts = [example.inputs, example.targets].map {
                types($0).map(\.description).joined(separator: ", ")
            }
            return "inputs \(parts[0]) and targets \(parts[1]), \(example.weight == nil ? "no" : "a") weight"
        }
        if let place = examples.firstIndex(where: {
            types($0.inputs) != types(first.inputs) || types($0.targets) != types(first.targets)
                || ($0.weight == nil) != (first.weight == nil)
        }) {
            throw DatasetError(
                .wrongShape,
                "example \(place) of a batch has \(text(examples[place])), the first has \(text(first)); bring all "
                    + "to one size before they are put into batches")
        }
        try self.init(
            inputs: first.inputs.indices.map { index in
                TensorValue(stacking: examples.map { $0.inputs[index] })
            },
            targets: first.targets.indices.map { index in
                TensorValue(stacking: examples.map { $0.targets[index] })
            },
            weights: first.weight == nil ? nil : TensorValue(examples.compactMap(\.weight)))
    }

    /// The example at a place that exists.
    func example(at index: Int) -> Example {
        func row(_ value: TensorValue) -> TensorValue {
            let picked = value.pickingRows([index])
            return TensorValue(unchecked: Shape(Array(value.shape.dimensions.dropFirst())), picked.storage)
        }
        return Example(
            inputs: inputs.map(row), targets: targets.map(row), weight: weights?.floats[index])
    }

    /// The examples at places that exist.
    func picking(_ indices: [Int]) -> Examples {
        Examples(
            checked: inputs.map { $0.pickingRows(indices[...]) },
            targets: targets.map { $0.pickingRows(indices[...]) }, weights: weights?.pickingRows(indices[...])
        )
    }
}

extension TensorValue {
    /// Tensors of one type, of which there is at least one, along a new first axis.
    fileprivate init(stacking values: [TensorValue]) {
        func joined<Element>(_ rows: (TensorValue) -> [Element]?) -> [Element] {
            var all: [Element] = []
            all.reserveCapacity(values.count * values[0].storage.count)
            for value in values { all += rows(value) ?? [] }
            return all
        }
        let storage: Storage =
            switch values[0].storage {
            case .float32: .float32(joined { if case .float32(let row) = $0.storage { row } else { nil } })
            case .bfloat16: .bfloat16(joined { if case .bfloat16(let row) = $0.storage { row } else { nil } })
            case .int32: .int32(joined { if case .int32(let row) = $0.storage { row } else { nil } })
            case .uint8: .uint8(joined { if case .uint8(let row) = $0.storage { row } else { nil } })
            case .bool: .bool(joined { if case .bool(let row) = $0.storage { row } else { nil } })
            }
        self.init(unchecked: Shape([values.count] + values[0].shape.dimensions), storage)
    }
}
