import FoveaGraph

// Derivatives of a class's score with respect to the input.

extension Explainer {
    /// Plain gradients and guided back-propagation.
    @Compute
    func inputGradients(_ question: Question) throws -> [Attribution] {
        let step = try gradientStep(isGuided: question.method == .guidedBackpropagation)
        let outputs = try step.run(runner, values(question.inputs, class: question.classIndex))
        return try Self.decisions(outputs).enumerated().map { index, decision in
            try attribution(question, index, decision, values: outputs[3][index])
        }
    }

    /// Class, score, probability and the gradient `[batch, height, width, channels]`.
    @Compute
    private func gradientStep(isGuided: Bool) throws -> PartialStep {
        try step(.inputGradients(isGuided: isGuided)) {
            if isGuided, !topologicalOrder(of: [scores.logits]).contains(where: \.isRectifier) {
                throw InsightError.unsuitable(
                    "guided back-propagation", model: model.displayName,
                    "it has no ReLU, which the method changes; take the gradient, or integrated gradients")
            }
            let selected = try scores.selected(score, chosenClass)
            let gradients = try gradient(
                of: selected.score.sum(), withRespectTo: [arguments.tensors[inputIndex]],
                rule: isGuided ? Self.guidedRule : { _, _ in nil })
            return [
                selected.chosen, selected.score, selected.probability, try spatialInput(gradients[0]),
            ]
        }
    }

    /// A rectifier passes back what is positive, where it passed on something positive.
    private static func guidedRule(_ tensor: Tensor, _ upstream: Tensor) throws -> [Tensor?]? {
        guard tensor.isRectifier else { return nil }
        return try tensor.operation.rule.gradients(
            inputs: tensor.inputs, output: tensor, upstream: upstream.relu())
    }

    /// `(x - x′) · mean gradient` from x′ to x.
    @Compute
    func integratedGradients(
        _ question: Question, _ decision: Decision, steps: Int, baseline: Float
    ) throws -> TensorValue {
        let step = try gradientStep(isGuided: false)
        let input = question.inputs[inputIndex].floats
        var sums: [Double] = []
        for start in stride(from: 0, to: steps, by: question.batchSize) {
            let count = min(question.batchSize, steps - start)
            var points: [Float] = []
            points.reserveCapacity(count * input.count)
            for point in start..<(start + count) {
                let share = (Float(point) + 0.5) / Float(steps)
                points += input.map { baseline + ($0 - baseline) * share }
            }
            let inputs = repeated(question, count, points)
            sums.add(try step.run(runner, values(inputs, class: decision.classIndex))[3])
        }
        let change = try self.change(of: question, from: baseline)
        return TensorValue(
            unchecked: change.shape,
            .float32(zip(change.floats, sums).map { $0 * Float($1 / Double(steps)) }))
    }

    /// `x - x′` as `[height, width, channels]`.
    @Compute
    private func change(of question: Question, from baseline: Float) throws -> TensorValue {
        let step = try step(.input) { [try spatialInput(arguments.tensors[inputIndex])] }
        let input = try step.run(runner, values(question.inputs, class: nil))[0][0]
        return TensorValue(unchecked: input.shape, .float32(input.floats.map { $0 - baseline }))
    }

    /// The mean gradient of inputs with noise.
    @Compute
    func smoothGrad(
        _ question: Question, _ decision: Decision, samples: Int, noise: Float
    ) throws -> TensorValue {
        let argument = arguments.tensors[inputIndex]
        let step = try step(.noisyGradients) {
            let noise = try Tensor.randomNormal(argument.shape) * Tensor.argument("deviation")
            let noisy = try argument + noise
            let selected = try scores.selected(score, chosenClass)
            let total = try selected.score.sum()
            // The gradient with respect to what the model sees, with the noise in it.
            let gradients = try gradient(of: total, withRespectTo: [argument])[0]
            return Tensor.substituting([argument: noisy], in: [try spatialInput(gradients)])
        }
        let input = question.inputs[inputIndex].floats
        let range = (input.max() ?? 0) - (input.min() ?? 0)
        var sums: [Double] = []
        var shape = Shape.scalar
        for (number, start) in stride(from: 0, to: samples, by: question.batchSize).enumerated() {
            let count = min(question.batchSize, samples - start)
            let inputs = question.inputs.map { $0.repeated(count) }
            var values = values(inputs, class: decision.classIndex)
            values["deviation"] = TensorValue(noise * range)
            let gradients = try step.run(runner, values, number: UInt64(number))[0]
            shape = Shape(Array(gradients.shape.dimensions.dropFirst()))
            sums.add(gradients)
        }
        return TensorValue(unchecked: shape, .float32(sums.map { Float($0 / Double(samples)) }))
    }

    /// The inputs of one example several times, but for the explained one, whose numbers are given.
    func repeated(_ question: Question, _ count: Int, _ numbers: [Float]) -> [TensorValue] {
        question.inputs.enumerated().map { index, value in
            index == inputIndex
                ? TensorValue(
                    unchecked: Shape([count] + value.shape.dimensions.dropFirst()), .float32(numbers))
                : value.repeated(count)
        }
    }
}

extension [Double] {
    /// Adds the sum over the first axis.
    fileprivate mutating func add(_ batch: TensorValue) {
        let elements = batch.floats
        let width = Swift.max(1, elements.count / Swift.max(1, batch.shape[0]))
        if isEmpty { self = [Double](repeating: 0, count: width) }
        for start in stride(from: 0, to: elements.count, by: width) {
            for place in 0..<width { self[place] += Double(elements[start + place]) }
        }
    }
}

extension Tensor {
    fileprivate var isRectifier: Bool {
        if case .unary(.relu) = operation { true } else { false }
    }
}
