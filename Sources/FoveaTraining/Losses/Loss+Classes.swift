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
        let targets = try smoothed(labels.oneHot(depth: classes), smoothing, toward: 1 / Double(classes))
        return try (targets * logits.logSoftmax()).sum(axes: [-1]).negated().meanPerExample()
    }

    func crossentropy(
        _ targets: Tensor, _ predictions: Tensor, _ fromLogits: Bool, _ smoothing: Double
    ) throws -> Tensor {
        let targets = try smoothedRows(targets, predictions, smoothing)
        let logarithms = try logProbabilities(predictions, fromLogits)
        return try (targets * logarithms).sum(axes: [-1]).negated().meanPerExample()
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

    /// `max(x, 0) - t·x + log(1 + exp(-|x|))`, which neither overflows nor cancels. The two sides are selected rather
    /// than written with `max` and `abs`, whose gradients at 0 would not add up to `1/2 - t`.
    private func binaryCrossentropy(_ targets: Tensor, logits x: Tensor) throws -> Tensor {
        let isPositive = try x.greaterOrEqual(0)
        let positivePart = try Tensor.select(isPositive, x, .filled(0, x.shape))
        let minusMagnitude = try Tensor.select(isPositive, x.negated(), x)
        return try positivePart - targets * x + minusMagnitude.exp().unary(.log1p)
    }

    func negativeLogLikelihood(_ targets: Tensor, _ predictions: Tensor) throws -> Tensor {
        let labels = try targets.labels(for: predictions, name)
        // Selected, not multiplied: an impossible class has the logarithm -∞.
        let isLabel = try labels.oneHot(depth: predictions.shape.channels).greater(0)
        let chosen = try Tensor.select(isLabel, predictions, .filled(0, predictions.shape))
        return try chosen.sum(axes: [-1]).negated().meanPerExample()
    }

    func focalCrossentropy(
        _ targets: Tensor, _ predictions: Tensor, _ fromLogits: Bool, _ smoothing: Double, _ alpha: Double,
        _ gamma: Double
    ) throws -> Tensor {
        try check("alpha", alpha, in: 0...1, "a number in 0...1")
        let targets = try smoothedRows(targets, predictions, smoothing)
        let logarithms = try logProbabilities(predictions, fromLogits)
        let focused = try targets * logarithms * focus(1 - logarithms.exp(), gamma)
        return try (focused.sum(axes: [-1]) * Float(-alpha)).meanPerExample()
    }

    /// - Parameter balance: the α of class balancing, nil without.
    func binaryFocalCrossentropy(
        _ targets: Tensor, _ predictions: Tensor, _ fromLogits: Bool, _ smoothing: Double, _ balance: Double?,
        _ gamma: Double
    ) throws -> Tensor {
        let losses = try binaryCrossentropy(targets, predictions, fromLogits, smoothing)
        let t = try smoothed(targets.aligned(with: predictions, name), smoothing, toward: 0.5)
        let isLogit = fromLogits && predictions.sigmoidInput == nil
        let p = isLogit ? try predictions.sigmoid() : predictions
        var focused = try losses * focus(1 - (t * p + (1 - t) * (1 - p)), gamma)
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
        let logarithms =
            if let logits = predictions.softmaxInput { try logits.logSoftmax() } else {
                try clippedAbove(predictions).log()
            }
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
        try check("labelSmoothing", smoothing, in: 0...1, "a number in 0...1")
        return smoothing == 0 ? targets : try targets * Float(1 - smoothing) + Float(smoothing * even)
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

    /// Probabilities within `[ε, 1 - ε]`, so that their logarithms are finite.
    fileprivate func clippedProbabilities() throws -> Tensor {
        try Tensor.minimum(.maximum(self, probabilityEpsilon), Float(1 - 1e-7))
    }
}
