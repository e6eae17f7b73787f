import FoveaGraph

extension ModelProtocol {
    /// The part of the model that makes features of images: all up to the last layer that gives images, with the same layers,
    /// trained as they are. What comes behind it (pooling or flattening, and what tells classes apart) is Keras's "top".
    ///
    /// ```swift
    /// let base = try SavedModel(contentsOf: "imagenet.safetensors").model.withoutTop()
    /// base.isTrainable = false
    /// let features = GlobalAveragePooling2D()(base.outputs[0])
    /// let classifier = try Model(inputs: base.inputs, outputs: [Dense(units: 5, activation: .softmax)(features)])
    /// ```
    ///
    /// - Parameter name: the name of the new model; `base` when nil.
    /// - Throws: `ShapeError` when the model has not been built, has several inputs, or no layer of it gives images
    ///   `[height, width, channels]`.
    public func withoutTop(name: String? = nil) throws(ShapeError) -> Model {
        let input = try inputShape
        guard
            let call = calls.last(where: { call in
                call.outputShapes.count == 1 && call.outputShapes[0].rank == 4
            })
        else {
            throw error(
                "\(displayName.quoted) has no layer that gives images, so it has no part that makes features of them",
                input)
        }
        return try Model(inputs: inputs, outputs: [call.outputs[0]], name: name ?? "base")
    }
}
