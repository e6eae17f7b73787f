import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime

/// All that another run needs to go on at the same step and come to the same bits.
public struct Checkpoint: Sendable {
    public var position: TrainingPosition
    /// What has to be the same for the run that goes on, by what it is called in messages.
    public var conditions: [String: String]
    /// Everything that training changes: the model's parameters and other state, but for what was frozen when it was
    /// compiled, and what the optimizer remembers.
    public var variables: [String: TensorValue]
    /// What each callback remembers, under the name of its type; of several of one type the later ones are numbered.
    public var memories: [String: CallbackMemory]

    public init(
        position: TrainingPosition, conditions: [String: String], variables: [String: TensorValue],
        memories: [String: CallbackMemory]
    ) {
        self.position = position
        self.conditions = conditions
        self.variables = variables
        self.memories = memories
    }
}

/// Where training stands between two steps.
public struct TrainingPosition: Codable, Hashable, Sendable {
    public let completeEpochs: Int
    /// Of the epoch under way.
    public let completeSteps: Int
    public let stepsPerEpoch: Int
    public let learningRate: Double
    /// The epochs that are complete.
    public let history: History
    /// Why a callback has asked training to end after the epoch under way, if one has.
    public let stopReason: String?
    /// The sums of the epoch under way.
    let totals: Totals
}

extension TrainingRun {
    /// The state of this run, between two steps: best asked for when the run settles (`Callback.runSettles`).
    public func checkpoint() throws -> Checkpoint {
        Checkpoint(
            position: TrainingPosition(
                completeEpochs: completeEpochs, completeSteps: completeSteps, stepsPerEpoch: stepsPerEpoch,
                learningRate: trainer.learningRate, history: history, stopReason: stopReason,
                totals: completeSteps > 0 ? totals : Totals(trainer)),
            conditions: try conditions,
            variables: Dictionary(
                uniqueKeysWithValues: try trainer.keyedVariables.map { ($0.key, try $0.variable.value()) }),
            memories: Dictionary(uniqueKeysWithValues: memories))
    }

    /// Goes on from where another run stopped. For `Callback.trainingBegins`.
    ///
    /// - Parameters:
    ///   - checkpoint: the state of the other run.
    ///   - file: where it comes from, for messages.
    /// - Throws: `TrainingError.checkpointDoesNotFit`, saying what differs, when it was another network, optimizer, data or
    ///   way of training; nothing is changed then. More epochs than planned at first are no difference.
    public func resume(_ checkpoint: Checkpoint, from file: String) throws {
        if let difference = try difference(from: checkpoint, conditions) {
            throw TrainingError.checkpointDoesNotFit(file, difference)
        }
        try move(to: checkpoint)
        resumedMemories = checkpoint.memories
    }

    /// Takes over the state of another run that is known to fit, but for what callbacks remember.
    func move(to checkpoint: Checkpoint) throws {
        for (key, variable) in trainer.keyedVariables {
            if let value = checkpoint.variables[key] { try variable.assign(value) }
        }
        let position = checkpoint.position
        completeEpochs = position.completeEpochs
        completeSteps = position.completeSteps
        trainer.learningRate = position.learningRate
        history = position.history
        history.wasInterrupted = false
        stopReason = position.stopReason
        totals = position.totals
    }

    /// Why this run, which has the given conditions, cannot go on from there; nil when it can.
    func difference(from checkpoint: Checkpoint, _ conditions: [String: String]) throws -> String? {
        let others = checkpoint.conditions
        // First, because it says most.
        for (name, fingerprints) in dataConditions.sorted(by: { $0.key < $1.key }) {
            if let other = others[name].flatMap({ try? Self.fingerprints($0) }),
                let difference = DataFingerprint.difference(from: other, to: fingerprints)
            {
                return "its \(name) \(difference)"
            }
        }
        for name in Set(conditions.keys).union(others.keys).sorted() where conditions[name] != others[name] {
            // Earlier versions did not write it.
            if others[name] == nil, dataConditions[name] != nil || Self.newer.contains(name) { continue }
            if dataConditions[name] != nil { return "its \(name) was of another form" }
            // The whole of a network says little to a reader.
            if name == Self.network { return "it is of another network" }
            let (other, own) = (others[name] ?? "none", conditions[name] ?? "none")
            return "its \(name) is \(excerpt(other, comparedWith: own)), this training has "
                + excerpt(own, comparedWith: other)
        }

        let variables = trainer.keyedVariables
        for (key, variable) in variables {
            guard let value = checkpoint.variables[key] else {
                return "it lacks the value of '\(variable.name)'"
            }
            guard value.shape == variable.shape, value.dtype == variable.dtype else {
                return
                    "its '\(variable.name)' is \(TensorType(value.shape, value.dtype)), not \(variable.type)"
            }
        }
        if checkpoint.variables.count > variables.count {
            return "it has \(checkpoint.variables.count) values, this training \(variables.count)"
        }

        let remembering = memories.filter { !$0.memory.isEmpty }.map(\.key).sorted()
        let remembered = checkpoint.memories.filter { !$0.value.isEmpty }.keys.sorted()
        guard remembering == remembered else {
            func list(_ names: [String]) -> String { names.isEmpty ? "none" : names.joined(separator: ", ") }
            return
                "its callbacks that remember are \(list(remembered)), those of this training \(list(remembering))"
        }
        return difference(from: checkpoint.position)
    }

    private func difference(from position: TrainingPosition) -> String? {
        guard position.stepsPerEpoch == stepsPerEpoch else {
            return "its epochs have \(position.stepsPerEpoch) steps, those of this training \(stepsPerEpoch)"
        }
        guard (0...epochs).contains(position.completeEpochs) else {
            return "it has \(position.completeEpochs) complete epochs, this training ends after \(epochs)"
        }
        guard (0...stepsPerEpoch).contains(position.completeSteps),
            position.completeEpochs < epochs || position.completeSteps == 0,
            position.learningRate.isFinite, position.learningRate >= 0
        else {
            return
                "its step \(position.completeSteps) or learning rate \(position.learningRate) is impossible"
        }
        guard position.totals.fits(totals, isBegun: position.completeSteps > 0) else {
            return "its sums of the epoch under way are of other losses or metrics"
        }
        return nil
    }

    // MARK: What has to be the same

    private static let network = "network"
    private static let (validation, backend) = ("validation", "backend")
    private static let newer = [validation, backend]

    private static func fingerprints(_ json: String) throws -> [DataFingerprint] {
        try JSONDecoder().decode([DataFingerprint].self, from: Data(json.utf8))
    }

    var conditions: [String: String] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            func json(_ value: some Encodable) throws -> String {
                String(decoding: try encoder.encode(value), as: UTF8.self)
            }
            // The parts of the training configuration: optimizer, outputs and so on.
            let parts = try JSONDecoder().decode(
                Configuration.self, from: encoder.encode(trainer.configuration))
            var conditions = try parts.mapValues { try json($0) }
            if let architecture = trainer.compiled.architecture {
                conditions[Self.network] = try json(architecture)
            } else {
                // A layer that no file can hold: its kind and shapes have to do.
                conditions[Self.network] = trainer.model.calls.map { call in
                    "\(call.layerName) \(type(of: call.layer).typeName) \(call.outputShapes)"
                }.joined(separator: "; ")
            }
            conditions[Self.validation] = validation?.summary ?? "none"
            conditions[Self.backend] = trainer.backend.summary
            if let sharding { conditions["number of shards"] = "\(sharding.count)" }
            conditions.merge(try dataConditions.mapValues { try json($0) }) { $1 }
            return conditions.merging(source.conditions) { $1 }
        }
    }

    // MARK: Callbacks

    /// What the callbacks remember now.
    private var memories: [(key: String, memory: CallbackMemory)] {
        zip(callbackKeys, callbacks).map { ($0, $1.memory) }
    }

    func remember(_ memories: [String: CallbackMemory]) {
        for (key, callback) in zip(callbackKeys, callbacks) {
            if let memory = memories[key], !memory.isEmpty { callback.memory = memory }
        }
    }

    private var callbackKeys: [String] {
        var counts: [String: Int] = [:]
        return callbacks.map { callback in
            let name = "\(type(of: callback))"
            counts[name, default: 0] += 1
            return counts[name] == 1 ? name : "\(name) \(counts[name, default: 1])"
        }
    }
}

/// A text, if it is long only the part where it begins to differ from another one.
private func excerpt(_ text: String, comparedWith other: String) -> String {
    guard text.count > 200 else { return text }
    let start = max(0, zip(text, other).prefix { $0 == $1 }.count - 40)
    let part = text.dropFirst(start)
    return (start > 0 ? "…" : "") + part.prefix(200) + (part.count > 200 ? "…" : "")
}

extension Trainer {
    /// What training changes, under names that differ whatever the variables are called.
    fileprivate var keyedVariables: [(key: String, variable: Variable)] {
        changingVariables.enumerated().map { ("\($0.offset) \($0.element.name)", $0.element) }
    }
}
