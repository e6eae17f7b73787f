import FoveaGraph
import FoveaLayers
import FoveaRuntime

extension ModelProtocol {
    /// The paths of all layers inside that have an output, in the order in which they are computed, as `activations` takes
    /// them: `conv2d`, and of models inside `base/conv2d`, after which comes `base` itself. Empty before the build.
    public var layerPaths: [String] {
        (try? TracedModel(self, on: ModelArguments(self).tensors))?.layers.map(\.path) ?? []
    }

    /// What layers give for inputs, in inference mode: feature maps `[count, height, width, channels]` of convolutions,
    /// `[count, features]` of dense layers. All layers that are asked for are computed in one run, and none behind the last of
    /// them.
    ///
    /// ```swift
    /// let maps = try await model.activations(of: ["conv2d", "base/block1_conv1"], for: images)
    /// print(maps["conv2d"]!.shape)                                             // [8, 26, 26, 32]
    /// ```
    ///
    /// - Parameters:
    ///   - paths: names of layers, those inside models and layers as `base/conv2d` (`layerPaths` has all). Of a layer that is
    ///     called several times the first call counts, of one with several outputs the first output.
    ///   - inputs: for each input of the model `[count, …]`, float32, or uint8 for images, whose 0…255 stand for 0…1.
    ///   - batchSize: examples computed at once.
    ///   - device: where it is computed.
    /// - Returns: by path, what the layer gives for all examples, `[count, …]`, its channels where the layer has them.
    /// - Throws: `InsightError` for an unknown layer, with the nearest path or a list, and for inputs that do not fit;
    ///   `ShapeError` when the model has not been built.
    public func activations(
        of paths: [String], for inputs: [TensorValue], batchSize: Int = 32, device: Device = .cpu
    ) async throws -> [String: TensorValue] {
        try await values(of: paths, for: inputs, batchSize: batchSize, device: device) { $0.output }
    }

    /// As `activations`, for layers that give images or sequences: feature maps `[count, height, width, channels]` also where the
    /// channels come first in the model. Sequences have the height 1.
    ///
    /// - Parameters: as for `activations`.
    /// - Throws: as `activations`; `InsightError.notSpatial` for layers that give something else.
    public func featureMaps(
        of paths: [String], for inputs: [TensorValue], batchSize: Int = 32, device: Device = .cpu
    ) async throws -> [String: TensorValue] {
        try await values(of: paths, for: inputs, batchSize: batchSize, device: device) { try $0.images }
    }

    private func values(
        of paths: [String], for inputs: [TensorValue], batchSize: Int, device: Device,
        _ output: (TracedLayer) throws -> Tensor
    ) async throws -> [String: TensorValue] {
        guard batchSize > 0 else {
            throw InsightError.invalidArgument("batchSize", "\(batchSize)", expected: "positive")
        }
        let arguments = ModelArguments(self)
        let traced = try TracedModel(self, on: arguments.tensors)
        let tensors = try paths.map { try output(traced.layer(at: $0)) }
        let (values, count) = try arguments.checked(inputs)
        if tensors.isEmpty { return [:] }
        let step = PartialStep(outputs: tensors)
        let runner = try StepRunner(device: device)
        let results = try await Compute.run {
            var results = tensors.map { _ in (rows: 0, elements: [Float]()) }
            for start in stride(from: 0, to: count, by: batchSize) {
                let batch = values.map { $0[start..<min(count, start + batchSize)] }
                for (place, output) in try step.run(runner, arguments.values(batch)).enumerated() {
                    results[place].rows += output.shape.dimensions.first ?? 1
                    results[place].elements += output.floats
                }
            }
            return results
        }
        var activations: [String: TensorValue] = [:]
        for (path, (tensor, result)) in zip(paths, zip(tensors, results)) {
            let shape = Shape([result.rows] + tensor.shape.dimensions.dropFirst())
            activations[path] = try TensorValue(shape: shape, result.elements)
        }
        return activations
    }

    /// What layers give for the inputs of a model with one input.
    ///
    /// - Parameters: as for several inputs.
    /// - Throws: as for several inputs.
    public func activations(
        of paths: [String], for inputs: TensorValue, batchSize: Int = 32, device: Device = .cpu
    ) async throws -> [String: TensorValue] {
        try await activations(of: paths, for: [inputs], batchSize: batchSize, device: device)
    }
}
