import FoveaGraph
import FoveaLayers

extension ModelProtocol {
    /// The part of a model that makes what its last layer with parameters reads, most often the features that the classes are told
    /// by: rows `[count, features]` or, where these are feature maps, their means. The layers are those of this model.
    ///
    /// ```swift
    /// let features = try await Predictor(model.featureExtractor()).features(of: examples)
    /// let points = try await TSNE().embed(features.inputs[0])
    /// ```
    ///
    /// - Parameter layer: the name of the layer whose output is wanted instead.
    /// - Throws: `ShapeError` for an unknown layer, with the nearest name, and when the model has not been built; `InsightError` when
    ///   it has no layer with parameters.
    public func featureExtractor(upTo layer: String? = nil) throws -> Model {
        try checkBuilt()
        var output = try layer.map { try self.output(of: $0) } ?? features
        if try Model(inputs: inputs, outputs: [output]).outputShape.rank == 3 {
            output = GlobalAveragePooling2D()(output)
        }
        let flat =
            try Model(inputs: inputs, outputs: [output]).outputShape.rank == 1 ? output : Flatten()(output)
        return try Model(inputs: inputs, outputs: [flat], name: "features")
    }

    /// What the last layer with parameters reads, however deep it is inside models.
    private var features: LayerOutput {
        get throws {
            guard let call = calls.last(where: { !$0.layer.parameters.isEmpty }),
                let input = call.inputs.first
            else {
                throw InsightError.unsuitable(
                    "a picture of features", model: displayName, "none of its layers has parameters")
            }
            guard let inner = call.layer as? any ModelProtocol, call.inputs.count == 1,
                inner.namedOutputs.count == 1
            else { return input }
            return try Model(inputs: inner.inputs, outputs: [inner.features])(input)
        }
    }
}
