import FoveaGraph
import FoveaLayers

/// A model as `compile` saw it. Which parameters were frozen decided how its layers work, what they change and what is
/// penalised; all graphs of a trainer are made of this one, so nothing of it changes with `isTrainable` later.
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
    /// The model's float32 inputs and its outputs for them.
    private let arguments: [Tensor]
    private let outputs: [Tensor]

    /// - Throws: `ShapeError` when the model has not been built.
    init(_ model: any ModelProtocol) throws(ShapeError) {
        try model.checkBuilt()
        inputs = model.modelInputs
        trained = model.trainableParameters.map(\.parameter)
        changing = model.parameters.filter { !$0.parameter.isFrozen }
        penalties = try model.penalties
        architecture = try? model.architecture
        arguments = inputs.map { Tensor.input(inputKey($0.name), $0.shape) }
        outputs = try model.outputs(for: arguments)
        let parameters = changing.compactMap(\.parameter.variable)
        var seen = Set(parameters)
        variables = parameters + updatedVariables(of: outputs).filter { seen.insert($0).inserted }
    }

    /// Inputs of a batch, in the model's order, under the names that graphs have for them.
    func values(of values: [TensorValue]) -> [String: TensorValue] {
        Dictionary(zip(inputs.map { inputKey($0.name) }, values), uniquingKeysWith: { first, _ in first })
    }

    /// The outputs for inputs of these element types: uint8 is scaled to 0...1.
    func outputs(for types: [DType]) throws(ShapeError) -> [Tensor] {
        var replacements: [Tensor: Tensor] = [:]
        for (argument, (input, type)) in zip(arguments, zip(inputs, types)) where type == .uint8 {
            replacements[argument] =
                try Tensor.input(inputKey(input.name), input.shape, type).cast(to: .float32) / 255
        }
        return Tensor.substituting(replacements, in: outputs)
    }
}
