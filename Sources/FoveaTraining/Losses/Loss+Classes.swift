import FoveaGraph

/// Losses of probabilities and logits.
extension Loss {
    func sparseCrossentropy(
        _ targets: Tensor, _ predictions: Tensor, _ fromLogits: Bool, _ smoothing: Double
    ) throws -> Tensor {
        let classes = predictions.shape.channels
        let labels = try targets.labels(for: predictions, name)
        let logits =
            if let input = predictions.softmaxInput { input } else if fromLogits { predictions } else {
                try predictions.clippedProbabilities().log()
            }
        let logarithms = try logits.logSoftmax()
        var likelihood = try logarithms.elements(at: labels)
        if try isSmoothed(smoothing) {
            let even = try logarithms.sum(axes: [-1]) * Float(smoothing / Double(classes))
            likelihood = try likelihood * Float(1 - smoothing) + even
        }
        return try likelihood.negated().meanPerExample()
    }

    func crossentropy(
        _ targets: Tensor, _ predictions: Tensor, _ fromLogits: Bool, _ smoothing: Double
    ) throws -> Tensor {
        let targets = try smoothedRows(targets, predictions, smoothing)
        let logarithms = try logProbabilities(predictions, fromLogits)
        return try logarithms.weighted(by: targets).sum(axes: [-1]).negated().meanPerExample()
    }

    /// One number per output.
    func binaryCrossentropy(
        _ targets: Tensor, _ predictions: Tensor, _ fromLogits: Bool, _ smoothing: Double
    ) throws -> Tensor {
        let targets = try smoothed(targets.aligned(with: predictions, name), smoothing, toward: 0.5)
        if let logits = predictions.sigmoidInput ?? (fromLogits ? predictions : nil) {
            return try binaryCrossentropy(targets, logits: logits)
        }
        let p = try predictions.clippedProbabilities()
        return try (targets * p.log() + (1 - targets) * (1 - p).log()).negated()
    }

    /// `|x| w + log(1 + exp(-|x|))`, where `w` is what the target gives to the answer that is less likely: `1 - t` for
    /// positive logits, else `t`. That neither overflows nor cancels, and is never below 0. The two sides are selected
    /// rather than written with `abs`, whose gradient at 0 would not add up to `1/2 - t`.
    private func binaryCrossentropy(_ targets: Tensor, logits x: Tensor) throws -> Tensor {
        let isPositive = try x.greaterOrEqual(0)
        let minusMagnitude = try Tensor.select(isPositive, x.negated(), x)
        let weight = try Tensor.select(isPositive, 1 - targets, targets)
        return try minusMagnitude.exp().unary(.log1p) - minusMagnitude.weighted(by: weight)
    }

    func negativeLogLikelihood(_ targets: Tensor, _ predictions: Tensor) throws -> Tensor {
        let labels = try targets.labels(for: predictions, name)
        return try predictions.elements(at: labels).negated().meanPerExample()
    }

    func focalCrossentropy(
        _ targets: Tensor, _ predictions: Tensor, _ fromLogits: Bool, _ smoothing: Double, _ alpha: Double,
        _ gamma: Double
    ) throws -> Tensor {
        try check("alpha", alpha, in: 0...1, "a number in 0...1")
        let targets = try smoothedRows(targets, predictions, smoothing)
        let logarithms = try logProbabilities(predictions, fromLogits)
        // 1 - p, with its digits where p is nearly 1.
        let missing = try logarithms.unary(.expm1).negated()
        let focused = try logarithms.weighted(by: targets) * focus(missing, gamma)
        return try (focused.sum(axes: [-1]) * Float(-alpha)).meanPerExample()
    }

    /// - Parameter balance: the α of class balancing, nil without.
    func binaryFocalCrossentropy(
        _ targets: Tensor, _ predictions: Tensor, _ fromLogits: Bool, _ smoothing: Double, _ balance: Double?,
        _ gamma: Double
    ) throws -> Tensor {
        let losses = try binaryCrossentropy(targets, predictions, fromLogits, smoothing)
        let t = try smoothed(targets.aligned(with: predictions, name), smoothing, toward: 0.5)
        // What is missing from p near 1 is a sigmoid too, where `1 - p` would lose its digits.
        let logits = predictions.sigmoidInput ?? (fromLogits ? predictions : nil)
        let p = try logits?.sigmoid() ?? predictions
        let rest = try logits?.negated().sigmoid() ?? (1 - predictions)
        var focused = try losses * focus(t * rest + (1 - t) * p, gamma)
        if let alpha = balance {
            focused = try focused * (t * Float(alpha) + (1 - t) * Float(1 - alpha))
        }
        return try focused.meanPerExample()
    }

    /// `missing^γ` for the probability that is missing from a right answer. It is kept off 0, where the derivative of a
    /// power below 1 is infinite.
    private func focus(_ missing: Tensor, _ gamma: Double) throws -> Tensor {
        try check("gamma", gamma, in: 0..., "0 or a positive number")
        if gamma == 0 { return .filled(1, missing.shape) }
        return try Tensor.maximum(missing, probabilityEpsilon).raised(to: Float(gamma))
    }

    func divergence(_ targets: Tensor, _ predictions: Tensor) throws -> Tensor {
        let t = try clippedAbove(targets.aligned(with: predictions.rows(name), name))
        var logarithms = try predictions.softmaxInput?.logSoftmax() ?? clippedAbove(predictions).log()
        // Predictions are clipped where targets are: an impossible class that does not occur adds nothing.
        let least = Tensor.filled(probabilityEpsilon, t.shape)
        logarithms = try .select(t.lessOrEqual(least), .maximum(logarithms, least.log()), logarithms)
        return try (t * (t.log() - logarithms)).sum(axes: [-1]).meanPerExample()
    }

    private func clippedAbove(_ p: Tensor) throws -> Tensor {
        try Tensor.minimum(.maximum(p, probabilityEpsilon), 1)
    }

    private func logProbabilities(_ predictions: Tensor, _ fromLogits: Bool) throws -> Tensor {
        if let logits = predictions.softmaxInput ?? (fromLogits ? predictions : nil) {
            return try logits.logSoftmax()
        }
        return try (predictions / predictions.sum(axes: [-1], keepDims: true)).clippedProbabilities().log()
    }

    private func smoothedRows(_ targets: Tensor, _ predictions: Tensor, _ smoothing: Double) throws -> Tensor
    {
        let even = 1 / Double(predictions.shape.channels)
        return try smoothed(targets.aligned(with: predictions.rows(name), name), smoothing, toward: even)
    }

    private func smoothed(_ targets: Tensor, _ smoothing: Double, toward even: Double) throws -> Tensor {
        guard try isSmoothed(smoothing) else { return targets }
        return try targets * Float(1 - smoothing) + Float(smoothing * even)
    }

    private func isSmoothed(_ smoothing: Double) throws -> Bool {
        try check("labelSmoothing", smoothing, in: 0...1, "a number in 0...1")
        return smoothing != 0
    }
}

/// How far probabilities are kept from 0 and 1.
private let probabilityEpsilon: Float = 1e-7

extension Tensor {
    /// What the softmax over the last axis was taken of, if this is its result.
    fileprivate var softmaxInput: Tensor? {
        guard case .softmax(let rule) = operation, rule.axis == shape.rank - 1, !rule.isLogarithmic else {
            return nil
        }
        return inputs[0]
    }

    /// What the sigmoid was taken of, if this is its result.
    fileprivate var sigmoidInput: Tensor? {
        if case .unary(.sigmoid) = operation { inputs[0] } else { nil }
    }

    /// The element of each row that its label says, 0 for labels without one. Selected, not multiplied: the others may be
    /// logarithms of impossible classes, -∞.
    fileprivate func elements(at labels: Tensor) throws -> Tensor {
        let isLabel = try labels.oneHot(depth: shape.channels).greater(0)
        return try Tensor.select(isLabel, self, .filled(0, shape)).sum(axes: [-1])
    }

    /// These logarithms times weights; an impossible class, whose logarithm is -∞, adds nothing if its weight is 0.
    fileprivate func weighted(by weights: Tensor) throws -> Tensor {
        let finite = try Tensor.maximum(self, -Float.greatestFiniteMagnitude)
        return try weights * Tensor.select(weights.equal(.filled(0, shape)), finite, self)
    }

    /// Probabilities within `[ε, 1 - ε]`, so that their logarithms are finite.
    fileprivate func clippedProbabilities() throws -> Tensor {
        try Tensor.minimum(.maximum(self, probabilityEpsilon), Float(1 - 1e-7))
    }
}
