import FoveaGraph

/// How far probabilities are kept from 0 and 1.
let probabilityEpsilon: Float = 1e-7

/// What losses of probabilities and logits have in common.
extension Tensor {
    /// What the softmax over the last axis was taken of, if this is its result.
    var softmaxInput: Tensor? {
        guard case .softmax(let rule) = operation, rule.axis == shape.rank - 1, !rule.isLogarithmic else {
            return nil
        }
        return inputs[0]
    }

    /// What the sigmoid was taken of, if this is its result.
    var sigmoidInput: Tensor? {
        if case .unary(.sigmoid) = operation { inputs[0] } else { nil }
    }

    /// The element of each row that its label says, 0 for labels without one. Selected, not multiplied: the others may be
    /// logarithms of impossible classes, -∞.
    func elements(at labels: Tensor) throws -> Tensor {
        let isLabel = try labels.oneHot(depth: shape.channels).greater(0)
        return try Tensor.select(isLabel, self, .filled(0, shape)).sum(axes: [-1])
    }

    /// These logarithms times weights; an impossible class, whose logarithm is -∞, adds nothing if its weight is 0.
    func weighted(by weights: Tensor) throws -> Tensor {
        let finite = try Tensor.maximum(self, -Float.greatestFiniteMagnitude)
        return try weights * Tensor.select(weights.equal(.filled(0, shape)), finite, self)
    }

    /// Probabilities within `[ε, 1 - ε]`, so that their logarithms are finite.
    func clippedProbabilities() throws -> Tensor {
        try Tensor.minimum(.maximum(self, probabilityEpsilon), Float(1 - 1e-7))
    }

    /// The logarithms of the probabilities that these rows are, or are the logits of.
    func logProbabilities(fromLogits: Bool) throws -> Tensor {
        if let logits = softmaxInput ?? (fromLogits ? self : nil) { return try logits.logSoftmax() }
        return try (self / sum(axes: [-1], keepDims: true)).clippedProbabilities().log()
    }
}

extension Loss {
    /// Targets `[batch, classes]` with the part `smoothing` spread evenly over the classes.
    func smoothedRows(_ targets: Tensor, _ predictions: Tensor, _ smoothing: Double) throws -> Tensor {
        let even = 1 / Double(predictions.shape.channels)
        return try smoothed(
            targets.aligned(with: predictions.rows(for: name), for: name), smoothing, toward: even)
    }

    /// `(1 - s)·t + s·even`
    func smoothed(_ targets: Tensor, _ smoothing: Double, toward even: Double) throws -> Tensor {
        guard try isSmoothed(smoothing) else { return targets }
        return try targets * Float(1 - smoothing) + Float(smoothing * even)
    }

    func isSmoothed(_ smoothing: Double) throws -> Bool {
        try check("labelSmoothing", smoothing, in: 0...1, "a number in 0...1")
        return smoothing != 0
    }

    /// `missing^γ` for the probability that is missing from a right answer. It is kept off 0, where the derivative of a
    /// power below 1 is infinite.
    func focus(_ missing: Tensor, _ gamma: Double) throws -> Tensor {
        try check("gamma", gamma, in: 0..., "0 or a positive number")
        if gamma == 0 { return .filled(1, missing.shape) }
        return try Tensor.maximum(missing, probabilityEpsilon).raised(to: Float(gamma))
    }

    /// The binary cross-entropy of each output.
    func binaryCrossentropies(
        _ targets: Tensor, _ predictions: Tensor, fromLogits: Bool, labelSmoothing: Double
    ) throws -> Tensor {
        let targets = try smoothed(targets.aligned(with: predictions, for: name), labelSmoothing, toward: 0.5)
        if let logits = predictions.sigmoidInput ?? (fromLogits ? predictions : nil) {
            return try binaryCrossentropies(targets, logits: logits)
        }
        let p = try predictions.clippedProbabilities()
        return try (targets * p.log() + (1 - targets) * (1 - p).log()).negated()
    }

    /// `|x| w + log(1 + exp(-|x|))`, where `w` is what the target gives to the answer that is less likely: `1 - t` for
    /// positive logits, else `t`. That neither overflows nor cancels, and is never below 0. The two sides are selected
    /// rather than written with `abs`, whose gradient at 0 would not add up to `1/2 - t`.
    private func binaryCrossentropies(_ targets: Tensor, logits x: Tensor) throws -> Tensor {
        let isPositive = try x.greaterOrEqual(0)
        let minusMagnitude = try Tensor.select(isPositive, x.negated(), x)
        let weight = try Tensor.select(isPositive, 1 - targets, targets)
        return try minusMagnitude.exp().unary(.log1p) - minusMagnitude.weighted(by: weight)
    }
}
