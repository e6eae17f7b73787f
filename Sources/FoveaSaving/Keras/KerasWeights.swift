import FoveaGraph
import FoveaLayers

/// The weights of one layer as a file has them, beside the parameters that they are for.
struct KerasWeightGroup {
    /// The layer's path in the model.
    let path: String
    let parameters: [KerasParameter]
    /// Nil when the file has nothing for the layer.
    let tensors: [StoredTensor]?
}

/// Weights that were compared with a model's parameters.
struct KerasWeights {
    /// For each layer that has parameters, or may have.
    var groups: [KerasWeightGroup]
    /// Layers of the file that the model has none for.
    var unused: [String]
    let file: String

    /// Gives the parameters their values.
    ///
    /// - Parameters:
    ///   - byName: whether layers may be missing on either side.
    ///   - skipMismatch: whether layers whose shapes differ keep their values.
    ///   - owner: what says which parameters there are, for messages.
    /// - Returns: the paths of parameters that keep their values.
    /// - Throws: `ModelFileError` with every difference; nothing is changed then.
    @Compute
    @discardableResult
    func assign(byName: Bool, skipMismatch: Bool, owner: String) throws -> [String] {
        var problems: [String] = []
        var kept: [String] = []
        var values: [(variable: Variable, value: TensorValue)] = []
        var assigned = Set<ObjectIdentifier>()
        for group in groups {
            // One that two models inside share is in the file once.
            let parameters = group.parameters.filter { !assigned.contains(ObjectIdentifier($0.parameter)) }
            guard !group.parameters.isEmpty || group.tensors?.isEmpty == false else { continue }
            guard let tensors = group.tensors else {
                kept += parameters.map(\.path)
                if !byName, !parameters.isEmpty { problems.append("'\(group.path)' is not in the file") }
                continue
            }
            let differences = differences(group.parameters, tensors, group.path, owner)
            guard differences.isEmpty else {
                kept += parameters.map(\.path)
                if !skipMismatch { problems += differences }
                continue
            }
            for (entry, tensor) in zip(group.parameters, tensors) {
                guard let variable = entry.parameter.variable,
                    assigned.insert(ObjectIdentifier(entry.parameter)).inserted
                else { continue }
                values.append((variable, try floats(of: tensor)))
            }
        }
        if !byName, !unused.isEmpty {
            problems.append("the file has weights of \(listed(unused)), which \(owner) has not")
        }
        guard problems.isEmpty else { throw failure(problems, owner) }
        for (variable, value) in values { try variable.assign(value) }
        return kept
    }

    /// What of a layer does not fit.
    private func differences(
        _ parameters: [KerasParameter], _ tensors: [StoredTensor], _ path: String, _ owner: String
    ) -> [String] {
        func shapes(_ shapes: [Shape]) -> String { shapes.map(\.description).joined(separator: ", ") }
        let own = parameters.compactMap(\.parameter.variable?.shape)
        guard own.count == parameters.count else {
            return ["'\(path)' has no shape yet: build the model first"]
        }
        guard own.count == tensors.count else {
            return [
                "'\(path)' has \(tensors.count) weights in the file (\(shapes(tensors.map(\.shape)))), "
                    + "\(own.count) in \(owner) (\(shapes(own)))"
            ]
        }
        return zip(parameters, tensors).compactMap { entry, tensor in
            guard let shape = entry.parameter.variable?.shape, shape != tensor.shape else { return nil }
            return "'\(entry.path)' is \(tensor.shape) in the file, \(shape) in \(owner)"
        }
    }

    private func floats(of tensor: StoredTensor) throws(ModelFileError) -> TensorValue {
        // Numbers of examples that were seen may be beyond int32; nothing is computed with them.
        if tensor.type == .int64 || tensor.type == .uint64 {
            return TensorValue(repeating: 0, shape: tensor.shape)
        }
        let value = try tensor.value(file: file)
        if value.dtype == .float32 { return value }
        return TensorValue(shape: value.shape, dtype: .float32, doubles: value.doubles)
    }

    // MARK: Errors

    private func failure(_ problems: [String], _ owner: String) -> ModelFileError {
        let all = groups.filter { !$0.parameters.isEmpty }
        let lacking = all.filter { $0.tensors == nil }.count
        let advice: String
        if lacking == all.count {
            advice = "the file is of another model"
        } else if lacking > 0 || !unused.isEmpty {
            advice =
                "the file is of another model; byName: true takes the layers whose names are the same and leaves the others"
        } else if problems.count <= 2 {
            advice =
                "the file's model differs there, often in its number of classes; skipMismatch: true leaves such layers as "
                + "they are"
        } else {
            advice = "the file's model has other sizes, or its layers have another order"
        }
        let shown = problems.prefix(Self.shownLimit)
        let more = problems.count > shown.count ? "; and \(problems.count - shown.count) more" : ""
        return ModelFileError(
            file: file,
            problem: "its weights are not those of \(owner): "
                + shown.joined(separator: "; ") + more + ". Likely \(advice)")
    }

    private static let shownLimit = 50

    private func listed(_ names: [String]) -> String {
        names.prefix(10).map(quoted).joined(separator: ", ")
            + (names.count > 10 ? " and \(names.count - 10) more" : "")
    }
}
