import FoveaDatasets
import FoveaGraph

/// What is checked before anything runs, so that data that does not fit is named instead of trained on.
extension Trainer {
    func check(_ name: String, _ value: Int, in range: some RangeExpression<Int>, _ expected: String) throws {
        guard range.contains(value) else {
            throw TrainingError.invalidArgument(name, "\(value)", expected: expected)
        }
    }

    func check(
        _ examples: Examples, _ data: TrainingError.Data, classWeights: ClassWeights? = nil
    ) throws {
        try compiled.checkInputs(examples.inputs, data)
        guard examples.targets.count == outputs.count else {
            throw TrainingError.wrongCount(
                "targets", expected: outputs.map(\.name), received: examples.targets.count, in: data)
        }
        if classWeights != nil, outputs.count(where: { $0.training.loss != nil }) > 1 {
            throw TrainingError.invalidArgument(
                "classWeights", "given",
                expected: "nil for a model with losses of several outputs; use sample weights")
        }
        do { try buildGraph(GraphKey(examples, classWeights: classWeights)) } catch let error as ShapeError {
            throw error.inside("\(data.rawValue) data")
        }
        for (output, targets) in zip(outputs, examples.targets) {
            try checkTargets(targets, of: output, data)
        }
    }

    /// Every number of the targets, whose shape has been found to fit.
    private func checkTargets(
        _ targets: TensorValue, of output: TrainedOutput, _ data: TrainingError.Data
    ) throws {
        let perExample = max(1, targets.storage.count / targets.shape[0])
        switch output.training.loss?.targetKind {
        case .classNumbers(let ignored):
            let classes = output.shape.channels
            if let index = targets.integers.firstIndex(where: {
                ($0 < 0 || $0 >= classes) && Int($0) != ignored
            }) {
                throw TrainingError.labelOutOfRange(
                    Int(targets.integers[index]), example: index / perExample, classes: classes, in: data)
            }
        case .probabilities:
            try checkTargets(targets, perExample, "in 0...1", data) { (0...1).contains($0) }
        default:
            guard targets.dtype.isFloatingPoint else { return }
            try checkTargets(targets, perExample, "finite numbers", data) { $0.isFinite }
            warnings.note(
                output.training.loss?.problem(ofTargets: targets), about: "targets of \(output.name)")
        }
    }

    private func checkTargets(
        _ targets: TensorValue, _ perExample: Int, _ expected: String, _ data: TrainingError.Data,
        _ isRight: (Float) -> Bool
    ) throws {
        let values = targets.floats
        if let index = values.firstIndex(where: { !isRight($0) }) {
            throw TrainingError.targetOutOfRange(
                values[index], example: index / perExample, expected: expected, in: data)
        }
    }

    /// How many examples, from the first on, are trained on: `⌊count · (1 - split)⌋`, as in Keras.
    func trainingCount(of examples: Examples, _ split: Double, hasValidation: Bool) throws -> Int {
        guard (0..<1).contains(split) else {
            throw TrainingError.invalidArgument("validationSplit", "\(split)", expected: "in 0..<1")
        }
        if split == 0 { return examples.count }
        if hasValidation {
            throw TrainingError.invalidArgument(
                "validationSplit", "\(split)", expected: "0 when validation data is given as well")
        }
        let count = Int(Double(examples.count) * (1 - split))
        guard count > 0, count < examples.count else {
            throw TrainingError.invalidArgument(
                "validationSplit", "\(split)",
                expected: "a part that leaves at least one of the \(examples.count) examples on either side")
        }
        return count
    }
}

extension CompiledModel {
    func checkInputs(_ values: [TensorValue], _ data: TrainingError.Data) throws {
        guard values.count == inputs.count else {
            throw TrainingError.wrongCount(
                "inputs", expected: inputs.map(\.name), received: values.count, in: data)
        }
        for (input, value) in zip(inputs, values) {
            let received = Shape(Array(value.shape.dimensions.dropFirst()))
            guard value.shape.rank > 0, input.shape.accepts(received) else {
                throw TrainingError.wrongInputShape(expected: input.shape, received: received, in: data)
            }
            guard value.shape[0] > 0 else { throw TrainingError.noExamples(data) }
            guard value.dtype == .float32 || value.dtype == .uint8 else {
                throw TrainingError.wrongInputType(value.dtype, in: data)
            }
        }
    }
}
