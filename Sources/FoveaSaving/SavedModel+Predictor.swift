import FoveaFiles
import FoveaRuntime
import FoveaTraining

extension Predictor {
    /// A saved model to be used.
    ///
    /// - Parameters:
    ///   - saved: the model with the names of its classes. Whether its outputs are logits tells the loss that it was
    ///     trained with, if there is one.
    ///   - device: where it is computed.
    /// - Throws: `ShapeError` when the model has not been built.
    public convenience init(_ saved: SavedModel, device: Device = .cpu) throws {
        try self.init(
            saved.model, classNames: saved.classNames,
            fromLogits: saved.training?.onlyOutput?.loss?.fromLogits,
            device: device)
    }

    /// The model in a file, to be used.
    ///
    /// - Throws: as `SavedModel(contentsOf:)`.
    public convenience init(contentsOf path: some PathConvertible, device: Device = .cpu) async throws {
        try self.init(await SavedModel(contentsOf: path), device: device)
    }
}
