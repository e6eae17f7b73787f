import FoveaGraph

// Feature maps weighted by how much they count for a class.

extension Explainer {
    /// Grad-CAM and Grad-CAM++.
    @Compute
    func classActivationMaps(_ question: Question) throws -> [Attribution] {
        guard let layer = question.layer else { return [] }
        let isPlusPlus = question.method == .gradCAMPlusPlus
        let step = try step(.featureGradients(layer: layer.path, isPlusPlus: isPlusPlus)) {
            let selected = try scores.selected(score, chosenClass)
            let total = try selected.score.sum()
            let gradients = try layer.spatial(gradient(of: total, withRespectTo: [layer.output])[0])
            let maps = try layer.images
            let weights =
                isPlusPlus
                ? try Self.plusPlusWeights(maps, gradients)
                : try gradients.mean(axes: [1, 2], keepDims: true)
            return [
                selected.chosen, selected.score, selected.probability,
                try (maps * weights).sum(axes: [3]).relu(),
            ]
        }
        return try attributions(question, step)
    }

    /// `Σ α ReLU(g)` over each map, `[batch, 1, 1, channels]`. Where α has no denominator it is 0, as g² is.
    private static func plusPlusWeights(_ maps: Tensor, _ gradients: Tensor) throws -> Tensor {
        let squares = try gradients * gradients
        let sums = try maps.sum(axes: [1, 2], keepDims: true)
        let denominators = try squares * 2 + squares * gradients * sums
        let isZero = try denominators.equal(.filled(0, denominators.shape))
        let alpha = try Tensor.select(
            isZero, .filled(0, squares.shape),
            squares / Tensor.select(isZero, .filled(1, squares.shape), denominators))
        return try (alpha * gradients.relu()).sum(axes: [1, 2], keepDims: true)
    }

    /// Maps weighted by a dense layer's kernel.
    @Compute
    func weightedFeatureMaps(_ question: Question) throws -> [Attribution] {
        guard let layer = question.layer else { return [] }
        let step = try step(.weightedFeatures) {
            let selected = try scores.selected(score, chosenClass)
            let (_, kernel) = try pooledFeatures()
            // A single output is the logit of class 1; that of class 0 is its opposite.
            let columns = kernel.shape[1] == 1 ? try Tensor.concatenate([kernel.negated(), kernel]) : kernel
            let weights = try columns.transposed([1, 0]).gathered(at: selected.chosen)
            let maps = try layer.images
            let perImage = try weights.reshaped(to: [weights.shape[0], 1, 1, weights.shape[1]])
            return [
                selected.chosen, selected.score, selected.probability,
                try (maps * perImage).sum(axes: [3]).relu(),
            ]
        }
        return try attributions(question, step)
    }

    /// Attributions from a graph that gives class, score, probability and `[batch, height, width]`.
    @Compute
    private func attributions(_ question: Question, _ step: PartialStep) throws -> [Attribution] {
        let outputs = try step.run(runner, values(question.inputs, class: question.classIndex))
        return try Self.decisions(outputs).enumerated().map { index, decision in
            try attribution(question, index, decision, values: outputs[3][index])
        }
    }
}
