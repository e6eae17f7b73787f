import FoveaGraph
import FoveaLayers
import FoveaModels

/// The weights in a file with PyTorch's names and layouts, for a model.
struct TorchWeights {
    let file: String
    let tensors: [StoredTensor]

    /// Whether names are such as PyTorch gives, and not paths of Fovea's.
    static func areTheseNames(_ names: [String], not paths: Set<String>) -> Bool {
        !names.contains { paths.contains($0) }
            && names.contains { $0.hasSuffix(".weight") || $0.hasSuffix(".running_mean") || $0 == "weight" }
    }

    /// Gives every parameter of a model its value.
    ///
    /// - Parameter mapping: rules for names; when nil, the names must be those of the layers or those that torchvision gives to the
    ///   network of that structure.
    /// - Returns: the tensors that rules give to layers which the model does not have.
    /// - Throws: `ModelFileError` with everything that does not fit; nothing is changed then.
    @Compute
    func assign(to model: any ModelProtocol, mapping: WeightMapping?) throws -> [String] {
        let parameters = model.torchParameters()
        let match = try match(parameters, mapping, model: model.displayName)
        var values: [(variable: Variable, value: TensorValue)] = []
        for (parameter, tensor) in match.pairs {
            values.append((parameter.variable, try value(of: tensor, for: parameter)))
        }
        for (variable, value) in values { try variable.assign(value) }
        return match.leftOut
    }

    private func value(of tensor: StoredTensor, for parameter: TorchParameter) throws(ModelFileError)
        -> TensorValue
    {
        let bytes = parameter.layout.imported(tensor.bytes, elementByteCount: tensor.type.byteCount)
        guard
            let moved = StoredTensor(
                name: tensor.name, shape: parameter.variable.shape, type: tensor.type, bytes: bytes)
        else {
            throw ModelFileError(
                file: file, problem: "tensor \(quoted(tensor.name)) does not have its shape's elements")
        }
        let value = try moved.value(file: file)
        return value.dtype == .float32 ? value : TensorValue(unchecked: value.shape, .float32(value.floats))
    }

    private func match(
        _ parameters: [TorchParameter], _ mapping: WeightMapping?, model: String
    ) throws(ModelFileError) -> TorchNameMatch {
        var best: TorchNameMatch?
        let mappings = mapping.map { [$0] } ?? [[:]] + Set(NamedNetwork.allCases.compactMap(\.torchMapping))
        for tensors in Self.unwrapped(tensors) {
            for mapping in mappings {
                let match = TorchNameMatch(tensors, parameters, mapping)
                if match.problems.isEmpty { return match }
                if match.problems.count < best?.problems.count ?? .max { best = match }
            }
        }
        let match = best ?? TorchNameMatch([], parameters, [:])
        throw ModelFileError(file: file, problem: Self.text(of: match, tensors, parameters, model: model))
    }

    // MARK: - What names begin with

    /// The tensors as they are named, and as they may be meant: those of the model alone in a checkpoint, without the name of
    /// what they were wrapped in.
    private static func unwrapped(_ tensors: [StoredTensor]) -> [[StoredTensor]] {
        var results = [tensors]
        var current = tensors
        for key in ["state_dict", "model_state_dict", "model_state", "model_ema", "model", "net", "network"] {
            let inside = current.filter { $0.name.hasPrefix(key + ".") }
            guard !inside.isEmpty else { continue }
            current = inside.map { $0.renamed(String($0.name.dropFirst(key.count + 1))) }
            results.append(current)
            break
        }
        // Those of DataParallel and torch.compile, and whatever else all have in common.
        for _ in 0..<3 {
            guard let first = current.first?.name, let dot = first.firstIndex(of: ".") else { break }
            let prefix = first[...dot]
            guard current.allSatisfy({ $0.name.hasPrefix(prefix) }) else { break }
            current = current.map { $0.renamed(String($0.name.dropFirst(prefix.count))) }
            results.append(current)
        }
        return results
    }

    // MARK: - What does not fit

    private static func text(
        of match: TorchNameMatch, _ tensors: [StoredTensor], _ parameters: [TorchParameter], model: String
    ) -> String {
        let limit = 10
        let shown = match.problems.prefix(limit).joined(separator: "; ")
        let more = match.problems.count > limit ? "; and \(match.problems.count - limit) more" : ""
        return
            "its tensors are not the weights of \(quoted(model)). \(cause(match, tensors, parameters)) In detail: \(shown)\(more)"
    }

    private static func cause(
        _ match: TorchNameMatch, _ tensors: [StoredTensor], _ parameters: [TorchParameter]
    ) -> String {
        if match.pairs.isEmpty {
            let names = tensors.prefix(2).map { quoted($0.name) }.joined(separator: ", ")
            let paths = parameters.prefix(2).map { quoted($0.path) }.joined(separator: ", ")
            return
                "None of the names is known: the file has \(names), …, the model \(paths), …; give a mapping of the file's names to "
                + "the model's (WeightMapping)."
        }
        if match.misfits.isEmpty, match.strangers.isEmpty {
            return
                "The file has fewer layers, or layers without biases (useBias: false) or without normalization."
        }
        if match.missing.isEmpty {
            return
                "Most fits: compare the number of classes, the size of the images in front of dense layers, and the filters."
        }
        return "Some layers fit: it is probably a network of another depth or version."
    }
}

extension StoredTensor {
    func renamed(_ name: String) -> StoredTensor {
        StoredTensor(name: name, shape: shape, type: type, bytes: bytes) ?? self
    }
}

extension ModelProtocol {
    /// The values of all parameters under PyTorch's names and in its layouts.
    ///
    /// - Throws: `ModelFileError` when the order of a layer's features cannot be told.
    @Compute
    func torchTensors(_ mapping: WeightMapping, file: String) throws -> [StoredTensor] {
        try torchParameters().map { parameter in
            if let name = parameter.orderUnknownBehind {
                throw ModelFileError(
                    file: file,
                    problem:
                        "in which order PyTorch keeps \(quoted(parameter.path)) cannot be told behind \(quoted(name))"
                )
            }
            let module =
                mapping.module(forLayer: parameter.layerPath)
                ?? parameter.layerPath.split(separator: "/").joined(separator: ".")
            let value = StoredTensor(name: parameter.path, value: try parameter.variable.value())
            let name = module.isEmpty ? parameter.torchName : "\(module).\(parameter.torchName)"
            let bytes = parameter.layout.exported(value.bytes, elementByteCount: value.type.byteCount)
            guard
                let tensor = StoredTensor(
                    name: name, shape: Shape(parameter.layout.shape), type: value.type, bytes: bytes)
            else {
                throw ModelFileError(
                    file: file,
                    problem: "\(quoted(parameter.path)) \(value.shape) has no counterpart in PyTorch")
            }
            return tensor
        }
    }
}
