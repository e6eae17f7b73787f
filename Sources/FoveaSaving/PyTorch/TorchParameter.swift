import FoveaGraph
import FoveaLayers

/// A parameter of a model, and how PyTorch would keep it.
struct TorchParameter {
    /// In the model, such as `block1/conv/kernel`.
    let path: String
    /// Of its layer, or of what would be a module in it.
    let layerPath: String
    /// What PyTorch calls it in its module.
    let torchName: String
    let layout: TorchLayout
    let variable: Variable
    /// The layer behind which the order of the features could not be told that this parameter's layer reads; nil when it could, or
    /// does not matter.
    let orderUnknownBehind: String?
}

extension ModelProtocol {
    /// Every parameter once.
    func torchParameters() -> [TorchParameter] {
        var collector = TorchParameterCollector()
        _ = collector.visit(self, path: "", orders: inputs.map { _ in .plain })
        return collector.parameters
    }
}

private struct TorchParameterCollector {
    private(set) var parameters: [TorchParameter] = []
    private var seen: Set<ObjectIdentifier> = []

    /// - Returns: the orders of what the model gives.
    mutating func visit(_ model: any ModelProtocol, path: String, orders: [FeatureOrder]) -> [FeatureOrder] {
        add(model, path: path, order: .plain)
        var known: [String: (order: FeatureOrder, shape: Shape)] = [:]
        var ordersOfOutputs: [LayerOutput: FeatureOrder] = [:]
        for (input, order) in zip(model.modelInputs, orders) { known[input.name] = (order, input.shape) }
        for call in model.calls {
            let name = path.isEmpty ? call.layerName : "\(path)/\(call.layerName)"
            let inputs = call.inputNames.compactMap { known[$0] }
            let shapes = call.outputShapes.map { Shape(Array($0.dimensions.dropFirst())) }
            var behind = shapes.map { _ in FeatureOrder.plain }
            if let inner = call.layer as? any ModelProtocol {
                behind = visit(inner, path: name, orders: inputs.map(\.order))
            } else {
                addAll(call.layer, path: name, order: inputs.first?.order ?? .plain)
                if let shape = shapes.first {
                    let order = FeatureOrder.behind(call.layer, named: name, inputs: inputs, output: shape)
                    behind = shapes.map { _ in order }
                }
            }
            for (output, order) in zip(call.outputs, behind) { ordersOfOutputs[output] = order }
            if let order = behind.first, let shape = shapes.first { known[call.layerName] = (order, shape) }
        }
        return model.namedOutputs.map { ordersOfOutputs[$0.output] ?? .plain }
    }

    /// A layer and, where it is made of others, these. In what order it calls them is not known.
    private mutating func addAll(_ layer: any Layer, path: String, order: FeatureOrder) {
        add(layer, path: path, order: order)
        let flattens = layer.namedLayers.contains {
            $0.layer is Flatten || $0.layer is FoveaLayers.Reshape || $0.layer is Permute
        }
        for (name, inner) in layer.namedLayers {
            addAll(inner, path: "\(path)/\(name)", order: flattens ? .unknown(path) : .plain)
        }
    }

    private mutating func add(_ layer: any Layer, path: String, order: FeatureOrder) {
        for parameter in layer.ownParameters {
            guard let variable = parameter.variable, seen.insert(ObjectIdentifier(parameter)).inserted else {
                continue
            }
            var unknown: String?
            if case .unknown(let name) = order, layer is Dense ? parameter.name == "kernel" : true {
                unknown = name
            }
            let (module, torchName) = TorchLayout.name(of: parameter.name, in: layer)
            parameters.append(
                TorchParameter(
                    path: path.isEmpty ? parameter.name : "\(path)/\(parameter.name)",
                    layerPath: module.map { "\(path)/\($0)" } ?? path, torchName: torchName,
                    layout: TorchLayout(
                        parameter.name, of: layer, shape: variable.shape.dimensions, order: order),
                    variable: variable, orderUnknownBehind: unknown))
        }
    }
}
