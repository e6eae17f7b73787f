import FoveaGraph
import FoveaLayers

extension ModelProtocol {
    /// The loss that a model is trained with as a classifier of labelled examples: the binary cross-entropy if its (first)
    /// output is one number, else the sparse categorical; from logits unless they come out of a sigmoid or softmax.
    ///
    /// - Throws: `ShapeError` when the model has not been built.
    public func classificationLoss() throws -> any Loss {
        let fromLogits = try !givesProbabilities()
        return namedOutputs.first?.shape == [1]
            ? .binaryCrossentropy(fromLogits: fromLogits)
            : .sparseCategoricalCrossentropy(fromLogits: fromLogits)
    }

    /// Whether the first output comes out of a softmax or sigmoid.
    func givesProbabilities() throws(ShapeError) -> Bool {
        guard let output = try exampleCall().outputs.first else { return false }
        return [.softmax, .sigmoid].contains(OutputValues(of: output))
    }
}
