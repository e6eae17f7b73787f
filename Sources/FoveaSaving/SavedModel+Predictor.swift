import FoveaFiles
import FoveaGraph
import FoveaRuntime
import FoveaTraining

extension Predictor {
    /// A saved model to be used.
    ///
    /// - Parameters:
    ///   - saved: the model with the names of its classes. Whether its outputs are logits tells the loss that it was
    ///     trained with, if there is one.
    ///   - imageSize: what pictures are brought to where the model takes any size; they keep theirs when nil.
    ///   - device: where it is computed.
    /// - Throws: `ShapeError` when the model has not been built; `PredictorError` when it takes no pictures of that size.
    public convenience init(_ saved: SavedModel, imageSize: Size2D? = nil, device: Device = .cpu) throws {
        try self.init(
            saved.model, classNames: saved.classNames,
            fromLogits: saved.training?.onlyOutput?.loss?.fromLogits, imageSize: imageSize,
            device: device)
    }

    /// The model in a file, to be used.
    ///
    /// - Throws: as `SavedModel(contentsOf:)` and for a saved model.
    public convenience init(
        contentsOf path: some PathConvertible, imageSize: Size2D? = nil, device: Device = .cpu
    ) async throws {
        try self.init(await SavedModel(contentsOf: path), imageSize: imageSize, device: device)
    }
}
