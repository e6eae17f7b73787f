import FoveaGraph
import FoveaLayers

/// A model as `compile` saw it. Which parameters were frozen decided how its layers work, what they change and what is
/// penalised; all graphs of a trainer are made of this one, so nothing of it changes with `isTrainable` later. A model whose
/// inputs leave extents open is called anew for each size, with the same parameters frozen.
struct CompiledModel: Sendable {
    let inputs: [ModelInput]
    /// What the optimizer changes.
    let trained: [Parameter]
    /// The parameters that were not frozen, by their paths: those that are trained, and those that layers change.
    let changing: [(path: String, parameter: Parameter)]
    /// The variables of `changing`, and others that layers update.
    let variables: [Variable]
    /// The penalties of what is trained.
    let penalties: [Tensor]
    /// Nil when a layer is one that no file can hold.
    let architecture: Configuration?
    /// The model's float32 inputs and its outputs for them; where inputs leave extents open, of some size.
    private let arguments: [Tensor]
    private let outputs: [Tensor]
    /// Calls the model for inputs of another size; nil where it has one.
    private let outputsOfSize: (@Sendable ([Tensor]) throws(ShapeError) -> [Tensor])?

    /// - Throws: `ShapeError` when the model has not been built.
    init(_ model: any ModelProtocol) throws(ShapeError) {
        try model.checkBuilt()
        inputs = model.modelInputs
        trained = model.trainableParameters.map(\.parameter)
        changing = model.parameters.filter { !$0.parameter.isFrozen }
        penalties = try model.penalties
        architecture = try? model.architecture
        (arguments, outputs) = try model.exampleCall(named: inputKey)
        if model.hasOpenInputs {
            let frozen = FrozenParameters(of: model)
            outputsOfSize = { inputs throws(ShapeError) in
                try frozen.call { () throws(ShapeError) in try model.outputs(for: inputs) }
            }
        } else {
            outputsOfSize = nil
        }
        let parameters = changing.compactMap(\.parameter.variable)
        var seen = Set(parameters)
        variables = parameters + updatedVariables(of: outputs).filter { seen.insert($0).inserted }
    }

    /// Inputs of a batch, in the model's order, under the names that graphs have for them.
    func values(of values: [TensorValue]) -> [String: TensorValue] {
        Dictionary(zip(inputs.map { inputKey($0.name) }, values), uniquingKeysWith: { first, _ in first })
    }

    /// The outputs for float32 inputs, of some size where extents are open.
    var exampleOutputs: [Tensor] { outputs }

    /// The outputs for inputs whose examples are of these types: uint8 is scaled to 0...1.
    func outputs(for types: [TensorType]) throws(ShapeError) -> [Tensor] {
        var tensors: [Tensor] = []
        for (input, type) in zip(inputs, types) {
            let tensor = Tensor.input(inputKey(input.name), type.shape, type.dtype)
            tensors.append(type.dtype == .uint8 ? try tensor.cast(to: .float32) / 255 : tensor)
        }
        if let outputsOfSize { return try outputsOfSize(tensors) }
        var replacements: [Tensor: Tensor] = [:]
        for (argument, (type, tensor)) in zip(arguments, zip(types, tensors)) where type.dtype == .uint8 {
            replacements[argument] = tensor
        }
        return Tensor.substituting(replacements, in: outputs)
    }
}
