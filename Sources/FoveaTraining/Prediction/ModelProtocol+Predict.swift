import FoveaGraph
import FoveaLayers
import FoveaRuntime

extension ModelProtocol {
    /// The output, in inference mode, of a model with one input and one output. Nothing needs to be compiled before.
    ///
    /// For work done once, as in a notebook: what is asked again and again is asked of a `Predictor`, or of the `Trainer` that
    /// trains the model.
    ///
    /// - Parameters:
    ///   - inputs: `[count, …]`, float32, or uint8 for images, whose 0…255 stand for 0…1.
    ///   - batchSize: examples computed at once.
    ///   - device: where it is computed.
    /// - Returns: `[count, …]`, float32.
    /// - Throws: `TrainingError` for inputs that do not fit the model; `ShapeError` when it has not been built or has
    ///   several outputs.
    public func predict(
        _ inputs: TensorValue, batchSize: Int = 32, device: Device = .cpu
    ) async throws -> TensorValue {
        _ = try outputShape
        return try await predict([inputs], batchSize: batchSize, device: device)[0]
    }

    /// The outputs, in inference mode, in the model's order. Nothing needs to be compiled before.
    ///
    /// - Parameters: as for one input, in the model's order.
    /// - Throws: `TrainingError` for inputs that do not fit the model; `ShapeError` when it has not been built.
    public func predict(
        _ inputs: [TensorValue], batchSize: Int = 32, device: Device = .cpu
    ) async throws -> [TensorValue] {
        try await Predictor(self, device: device).outputs(for: inputs, batchSize: batchSize)
    }

    /// `predict` for all inputs at once.
    public func callAsFunction(_ inputs: TensorValue) async throws -> TensorValue {
        try await predict(inputs, batchSize: max(1, inputs.shape.dimensions.first ?? 1))
    }
}
