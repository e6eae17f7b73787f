import FoveaFiles
import FoveaGraph
import FoveaLayers

extension ModelProtocol {
    /// Writes the values of all parameters, without the architecture, as a `.safetensors` file: tensors under the
    /// parameters' paths, such as `conv2d_1/kernel`. Whole or not at all.
    ///
    /// - Throws: `ShapeError` when the model has not been built; `FileError`, and the file that was there before is then as
    ///   it was.
    @Compute
    public func saveWeights(to path: some PathConvertible) throws {
        for (_, parameter) in parameters { _ = try parameter.tensor }
        try Safetensors(tensors: weights()).write(to: path)
    }

    /// Gives all parameters the values in a file of `saveWeights(to:)` or `SavedModel.write(to:)`.
    ///
    /// What an optimizer remembers stays as it is. Numbers that are not finite are taken as they are
    /// (`parametersNotFinite`).
    ///
    /// - Throws: `FileError` when the file cannot be read, `SafetensorsError` when it is damaged, `ModelFileError` when its
    ///   tensors are not those of this model's parameters, by name, shape and element type. Nothing is changed then.
    @Compute
    public func loadWeights(from path: some PathConvertible) throws {
        do {
            try assign(Safetensors(contentsOf: path).tensors, owner: "the model")
        } catch let problem as WeightsProblem {
            throw ModelFileError(file: path.filePath, problem: problem.description)
        }
    }

    /// The parameters some of whose numbers are NaN or infinite, in order, each with its path, how many are, and how many
    /// numbers it has. Loading a model or weights does not refuse these, so that they can be looked at; what such a model
    /// computes is hardly of use.
    @Compute
    public func parametersNotFinite() throws -> [(path: String, count: Int, total: Int)] {
        try parameters.compactMap { path, parameter in
            guard let value = try parameter.variable?.value() else { return nil }
            let count = value.floats.count { !$0.isFinite }
            return count == 0 ? nil : (path, count, value.storage.count)
        }
    }

    /// The values of all parameters that have been built, under their paths.
    @Compute
    func weights() throws -> [(name: String, value: TensorValue)] {
        try parameters.compactMap { path, parameter in
            try parameter.variable.map { (path, try $0.value()) }
        }
    }

    /// Gives every parameter its value.
    ///
    /// - Parameter owner: what says which parameters there are, for messages.
    /// - Throws: `WeightsProblem` when a tensor is missing, unknown or of another type; nothing is changed then.
    @Compute
    func assign(_ tensors: [(name: String, value: TensorValue)], owner: String) throws {
        var tensors = Dictionary(tensors.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        var values: [(variable: Variable, value: TensorValue)] = []
        for (name, parameter) in parameters {
            guard let variable = parameter.variable else {
                throw WeightsProblem("\(owner) has no input shape")
            }
            guard let value = tensors.removeValue(forKey: name) else {
                throw WeightsProblem("\(owner) has a parameter '\(name)', but there is no such tensor")
            }
            guard value.shape == variable.shape, value.dtype == variable.dtype else {
                throw WeightsProblem(
                    "tensor '\(name)' is \(TensorType(value.shape, value.dtype)), \(owner) says \(variable.type)"
                )
            }
            values.append((variable, value))
        }
        if let extra = tensors.keys.min() {
            throw WeightsProblem("tensor \(quoted(extra)) belongs to no layer of \(owner)")
        }
        for (variable, value) in values { try variable.assign(value) }
    }
}

extension Variable {
    var byteCount: Int { shape.elementCount * dtype.byteCount }
}

extension ModelProtocol {
    /// How many bytes all parameters have that have been built.
    var parameterByteCount: Int { parameters.reduce(0) { $0 + ($1.parameter.variable?.byteCount ?? 0) } }
}

/// Why tensors are not the weights of a model.
struct WeightsProblem: Error {
    let description: String

    init(_ description: String) { self.description = description }
}
