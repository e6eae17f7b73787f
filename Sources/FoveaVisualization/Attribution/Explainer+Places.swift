import FoveaGraph
import FoveaLayers

extension Explainer {
    /// Height and width of the input that is explained; sequences have the height 1.
    ///
    /// - Throws: `InsightError` when it is neither images nor sequences.
    var explainedSize: Size2D {
        get throws {
            let shape = try inputFormat.channelsLast(arguments.tensors[inputIndex]).shape
            switch shape.rank {
            case 3: return Size2D(1, shape[1])
            case 4: return shape.imageSize
            default:
                throw InsightError.wrongShape(
                    "the input '\(arguments.inputs[inputIndex].name)'", arguments.inputs[inputIndex].shape,
                    expected:
                        "images [height, width, channels] or sequences [steps, channels] to be explained by a map"
                )
            }
        }
    }

    /// Where the explained input has its channels: where the first layer that says so has them.
    var inputFormat: DataFormat {
        traced.layers.lazy.compactMap { ($0.layer as? any SpatialLayer)?.dataFormat }.first ?? .channelsLast
    }

    /// A tensor shaped as the explained input as `[batch, height, width, channels]`.
    func spatialInput(_ tensor: Tensor) throws -> Tensor {
        let last = try inputFormat.channelsLast(tensor)
        guard last.shape.rank == 3 else { return last }
        return try last.reshaped(to: [last.shape[0], 1, last.shape[1], last.shape[2]])
    }

    /// The explained input's shape with one channel.
    var maskShape: Shape {
        var shape = arguments.tensors[inputIndex].shape
        shape[inputFormat == .channelsLast ? shape.rank - 1 : 1] = 1
        return shape
    }

    /// The layer whose features are looked at.
    ///
    /// - Parameter path: nil for the last convolution.
    func explainedLayer(_ path: String?, _ method: AttributionMethod) throws -> TracedLayer {
        if method == .cam {
            let maps = try pooledFeatures().maps
            if let path, try traced.layer(at: path).output != maps.output {
                throw InsightError.unsuitable(
                    method.name, model: model.displayName,
                    "it looks at '\(maps.path)', which is what the global pooling averages; leave the layer out"
                )
            }
            return maps
        }
        let deciding = Set(topologicalOrder(of: [output]))
        guard let path else { return try lastConvolution(deciding) }
        let layer = try traced.layer(at: path)
        _ = try layer.images
        guard deciding.contains(layer.output) else {
            throw InsightError.doesNotDecide(layer: path, output: outputName)
        }
        return layer
    }

    /// What the last convolution gives that has more than one pixel, and what normalization, activation, sums and the like
    /// make of it at the same size.
    private func lastConvolution(_ deciding: Set<Tensor>) throws -> TracedLayer {
        let layers = traced.layers.filter { deciding.contains($0.output) && $0.size != nil }
        guard
            let place = layers.lastIndex(where: { layer in
                layer.isConvolution && layer.size.map { $0.height * $0.width > 1 } == true
            })
        else { throw InsightError.noConvolution(model: model.displayName) }
        var found = layers[place]
        for next in layers[(place + 1)...] {
            guard next.size == found.size else { break }
            // A model that ends with the layer gives the same tensor.
            if next.output != found.output, !next.isOnlyForTraining { found = next }
        }
        return found
    }

    /// The layer whose features a global average pooling takes the means of, and the weights of the dense layer that makes the
    /// scores of them.
    func pooledFeatures() throws -> (maps: TracedLayer, kernel: Tensor) {
        func unsuitable(_ reason: String) -> InsightError {
            .unsuitable(AttributionMethod.cam.name, model: model.displayName, reason)
        }
        let deciding = Set(topologicalOrder(of: [output]))
        let layers = traced.layers.filter { deciding.contains($0.output) && $0.layer.namedLayers.isEmpty }
        guard let pooling = layers.lastIndex(where: { $0.layer is any GlobalAverage }),
            let dense = layers.lastIndex(where: { $0.layer is Dense }), pooling < dense
        else {
            throw unsuitable(
                "it must end with GlobalAveragePooling2D and one Dense layer; Grad-CAM works with any network"
            )
        }
        let between = layers[(pooling + 1)..<dense]
        guard let kernel = (layers[dense].layer as? Dense)?.kernel, layers[pooling].inputs.count == 1,
            between.allSatisfy({
                $0.layer is Flatten || $0.layer is FoveaLayers.Reshape || $0.isOnlyForTraining
            })
        else {
            throw unsuitable(
                "there are layers between its global pooling and its last Dense layer; Grad-CAM works with any network"
            )
        }
        let pooled = layers[pooling].inputs[0]
        guard let maps = layers[..<pooling].last(where: { $0.output == pooled }) else {
            throw unsuitable("its global pooling does not pool what a layer gives")
        }
        let variable = try kernel.tensor
        // Where variables were replaced, the graph has others than the layer.
        let weights = topologicalOrder(of: [layers[dense].output]).last { tensor in
            if case .source(.variable) = tensor.operation { tensor.shape == variable.shape } else { false }
        }
        guard let weights else { throw unsuitable("its last Dense layer has no kernel") }
        return (maps, weights)
    }
}

/// `GlobalAveragePooling2D` and `GlobalAveragePooling1D`.
private protocol GlobalAverage {}
extension GlobalPooling: GlobalAverage where Kind == MeanPooling {}

extension TracedLayer {
    /// Whether it, and no layer inside it, is made of a convolution.
    fileprivate var isConvolution: Bool {
        guard layer.namedLayers.isEmpty else { return false }
        let outside = Set(inputs)
        var seen = outside
        var stack = [output]
        while let tensor = stack.popLast() {
            guard seen.insert(tensor).inserted else { continue }
            switch tensor.operation {
            case .convolution, .convolutionInputGradient: return true
            default: stack += tensor.inputs
            }
        }
        return false
    }

    /// Whether it gives its input in inference.
    fileprivate var isOnlyForTraining: Bool {
        layer is Dropout || layer is AlphaDropout || layer is GaussianDropout || layer is GaussianNoise
            || layer is SpatialDropout1D || layer is SpatialDropout2D || layer is Identity
            || layer is ActivityRegularization
    }
}
