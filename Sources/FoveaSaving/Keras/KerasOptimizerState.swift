import FoveaGraph
import FoveaTraining

// What an optimizer remembers, as Keras 3 keeps it: its variables numbered in the order in which it makes them.

/// What one variable of an optimizer is.
private enum KerasOptimizerVariable {
    case iterations
    case learningRate
    case slot(String, of: Int)
    case scalar(String)
    /// What Keras makes and does not use.
    case unused(Shape, StoredType)
}

/// The variables of an optimizer of Keras.
private struct KerasOptimizerLayout {
    var variables: [KerasOptimizerVariable] = [.iterations]

    /// - Parameter shapes: those of what is trained, in Keras's order.
    init(_ training: TrainingConfiguration, shapes: [Shape], hasLearningRate: Bool) {
        if hasLearningRate { variables.append(.learningRate) }
        let optimizer = training.optimizer
        func append(_ slot: String) { variables += shapes.indices.map { .slot(slot, of: $0) } }
        if training.weightAveraging != nil { append(OptimizerMemory.average) }
        if training.accumulation > 1 { append(OptimizerMemory.accumulator) }
        // Most stand beside each other for each variable, some make a row of their own.
        let slots = optimizer.slots.map(\.name)
        let isInRow: (String) -> Bool =
            optimizer is RMSprop ? { _ in true } : { $0 == "velocity_hat" }
        for (index, shape) in shapes.enumerated() {
            if optimizer is Adafactor {
                // Of a variable with one axis Keras keeps no rows, of others no velocity, but has variables for them.
                variables +=
                    shape.rank > 1
                    ? [.slot(slots[0], of: index), .slot(slots[1], of: index), .unused(shape, .float32)]
                    : [.unused(.scalar, .int32), .unused(.scalar, .int32), .slot(slots[2], of: index)]
            } else {
                variables += slots.filter { !isInRow($0) }.map { .slot($0, of: index) }
            }
        }
        for slot in slots where isInRow(slot) { append(slot) }
        variables += optimizer.scalars.map { .scalar($0.name) }
    }
}

extension OptimizerMemory {
    /// Reads `/optimizer` of a Keras file.
    ///
    /// - Parameters:
    ///   - training: how the model is trained.
    ///   - trained: what is trained, in Keras's order.
    /// - Returns: nil when there is nothing for this optimizer.
    init?(
        keras root: HDF5Group, training: TrainingConfiguration, trained: [KerasParameter], file: String
    ) throws {
        guard let group = root["optimizer/vars"]?.group, !group.members.isEmpty else { return nil }
        let shapes = trained.compactMap(\.parameter.variable?.shape)
        guard shapes.count == trained.count else { return nil }
        // Keras 2, and Keras 3 with a schedule, have no variable for the learning rate.
        for hasLearningRate in [true, false] {
            let layout = KerasOptimizerLayout(training, shapes: shapes, hasLearningRate: hasLearningRate)
            guard layout.variables.count == group.members.count else { continue }
            if let memory = try Self.init(layout, group, training, trained, file) {
                self = memory
                return
            }
        }
        return nil
    }

    private init?(
        _ layout: KerasOptimizerLayout, _ group: HDF5Group, _ training: TrainingConfiguration,
        _ trained: [KerasParameter], _ file: String
    ) throws {
        self.init(iterations: 0, learningRate: training.optimizer.learningRate, slots: [:])
        let slots = training.optimizer.slots.map(\.name)
        for entry in trained { self.slots[entry.path] = [:] }
        for (number, variable) in layout.variables.enumerated() {
            guard let tensor = group["\(number)"]?.dataset?.tensor else { return nil }
            let value = try tensor.value(file: file)
            switch variable {
            case .iterations:
                guard value.shape.rank == 0 else { return nil }
                // Keras counts batches, Fovea steps.
                guard let batches = value.doubles.first.flatMap({ Int(exactly: $0) }), batches >= 0 else {
                    return nil
                }
                let perStep = max(1, training.accumulation)
                (iterations, accumulatedRuns) = (batches / perStep, batches % perStep)
            case .learningRate:
                guard value.shape.rank == 0, value.dtype == .float32 else { return nil }
                learningRate = decimal(Double(value.scalar))
            case .scalar(let name):
                guard value.shape.rank == 0 else { return nil }
                scalars[name] = Double(value.scalar)
            case .slot(let name, let index):
                guard let own = trained[index].parameter.variable?.shape, value.dtype == .float32 else {
                    return nil
                }
                let place = slots.firstIndex(of: name)
                let expected = place.map { training.optimizer.slotShapes(for: own)[$0] } ?? own
                guard value.shape == expected else { return nil }
                self.slots[trained[index].path]?[name] = value
            case .unused: continue
            }
        }
        for (index, entry) in trained.enumerated() where training.optimizer is Adafactor {
            let shapes = training.optimizer.slotShapes(
                for: trained[index].parameter.variable?.shape ?? .scalar)
            for (name, shape) in zip(slots, shapes) where self.slots[entry.path]?[name] == nil {
                self.slots[entry.path]?[name] = TensorValue(repeating: 0, shape: shape)
            }
        }
    }

    /// `/optimizer/vars` of a Keras file.
    ///
    /// - Returns: nil when it is not of this training.
    func kerasVariables(_ training: TrainingConfiguration, trained: [KerasParameter]) -> HDF5Group? {
        let shapes = trained.compactMap(\.parameter.variable?.shape)
        let hasSchedule =
            switch training.schedule {
            case nil, .constant, .oneCycle: false
            default: true
            }
        let layout = KerasOptimizerLayout(training, shapes: shapes, hasLearningRate: !hasSchedule)
        var group = HDF5Group()
        for (number, variable) in layout.variables.enumerated() {
            let name = "\(number)"
            let tensor: StoredTensor?
            switch variable {
            case .iterations:
                let batches =
                    Int64(iterations) * Int64(max(1, training.accumulation)) + Int64(accumulatedRuns)
                let bytes = withUnsafeBytes(of: batches.littleEndian) { Array($0) }
                tensor = StoredTensor(name: name, shape: .scalar, type: .int64, bytes: bytes[...])
            case .learningRate:
                tensor = StoredTensor(
                    name: name, value: TensorValue(repeating: Float(learningRate), shape: .scalar))
            case .scalar(let scalar):
                tensor = scalars[scalar].map {
                    StoredTensor(name: name, value: TensorValue(repeating: Float($0), shape: .scalar))
                }
            case .slot(let slot, let index):
                tensor = slots[trained[index].path]?[slot].map { StoredTensor(name: name, value: $0) }
            case .unused(let shape, let type):
                let bytes = [UInt8](repeating: 0, count: shape.elementCount * type.byteCount)
                tensor = StoredTensor(name: name, shape: shape, type: type, bytes: bytes[...])
            }
            guard let tensor else { return nil }
            group.members.append((name, .dataset(HDF5Dataset(tensor: tensor))))
        }
        return group
    }
}
