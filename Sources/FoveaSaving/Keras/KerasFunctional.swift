import FoveaFiles
import FoveaLayers

/// An output of a call: the layer's name, the number of the call, and that of the output.
struct KerasTensor: Hashable {
    let layer: String
    let call: Int
    let output: Int
}

/// The calls of a functional model, as its layers list them.
struct KerasCalls {
    /// What one call reads.
    struct Call {
        var inputs: [KerasTensor] = []
        var isTraining: Bool?
    }

    let owner: String

    /// The calls of one layer.
    ///
    /// - Parameter value: `inbound_nodes` of either dialect.
    func calls(_ value: ConfigurationValue?) throws(ConfigurationError) -> [Call] {
        guard let nodes = value?.elements else {
            throw ConfigurationError(
                owner: owner, key: "inbound_nodes",
                "expected a list of calls, not \(value?.shown ?? "nothing")")
        }
        var calls: [Call] = []
        for node in nodes {
            var call = Call()
            if let members = node.members {
                try addArguments(members["args"] ?? [], to: &call)
                // Keras 3 writes a mode that it does not look at: calls follow that of the model.
                let named = (members["kwargs"]?.members ?? [:]).filter { $0.key != "training" }
                for (key, value) in named.sorted(by: { $0.key < $1.key }) {
                    try addArgument(key, value, to: &call)
                }
            } else if let references = node.elements {
                // One reference that is not in a list of its own.
                let isSingle = references.first?.text != nil
                for reference in isSingle ? [node] : references { try addReference(reference, to: &call) }
            }
            calls.append(call)
        }
        return calls
    }

    /// Of Keras 3: tensors, and lists of them.
    private func addArguments(_ value: ConfigurationValue, to call: inout Call) throws(ConfigurationError) {
        switch value {
        case .null: return
        case .list(let elements): for element in elements { try addArguments(element, to: &call) }
        case .object(let members) where members["class_name"] == "__keras_tensor__":
            let history = members["config"]?.members?["keras_history"] ?? .null
            call.inputs.append(try reference(history))
        case .object(let members) where members["class_name"] == nil:
            // Inputs by name, which Keras takes in the order of their names.
            for (_, element) in members.sorted(by: { $0.key < $1.key }) {
                try addArguments(element, to: &call)
            }
        default:
            throw ConfigurationError(
                owner: owner, key: "inbound_nodes",
                "it is called with \(value.shown), which is no output of a layer; Fovea's layers take nothing else"
            )
        }
    }

    /// Of Keras 2: `["conv2d", 0, 0, {"training": false}]`.
    private func addReference(_ value: ConfigurationValue, to call: inout Call) throws(ConfigurationError) {
        // Lists of references stand for arguments that are lists.
        if let elements = value.elements, elements.first?.elements != nil {
            for element in elements { try addReference(element, to: &call) }
            return
        }
        call.inputs.append(try reference(value))
        guard let elements = value.elements, elements.count > 3 else { return }
        for (key, value) in (elements[3].members ?? [:]).sorted(by: { $0.key < $1.key }) {
            try addArgument(key, value, to: &call)
        }
    }

    private func addArgument(
        _ key: String, _ value: ConfigurationValue, to call: inout Call
    ) throws(ConfigurationError) {
        switch (key, value) {
        case (_, .null): return
        case ("training", .bool(let isTraining)): call.isTraining = isTraining
        case ("inputs", _): try addArguments(value, to: &call)
        default:
            throw ConfigurationError(
                owner: owner, key: "inbound_nodes",
                "it is called with \(quoted(key)) = \(value.shown), which Fovea's layers do not take")
        }
    }

    func reference(_ value: ConfigurationValue) throws(ConfigurationError) -> KerasTensor {
        guard let parts = value.elements, parts.count >= 3, let name = parts[0].text,
            let call = parts[1].integer, let output = parts[2].integer, call >= 0, output >= 0
        else {
            throw ConfigurationError(
                owner: owner, "expected the output of a layer, such as [\"conv2d\", 0, 0], not \(value.shown)"
            )
        }
        return KerasTensor(layer: name, call: call, output: output)
    }

    /// `["dense", 0, 0]`, a list of these, or an object of these by name.
    func references(_ value: ConfigurationValue?) throws(ConfigurationError) -> [KerasTensor] {
        guard let value, !value.isNull else { return [] }
        if value.elements?.first?.text != nil { return [try reference(value)] }
        var result: [KerasTensor] = []
        let parts =
            value.elements ?? value.members?.sorted { $0.key < $1.key }.map(\.value) ?? [value]
        for part in parts { result += try references(part) }
        return result
    }
}

extension KerasReader {
    /// The configuration of a `Model`.
    mutating func functional(
        _ settings: Configuration, name: String?
    ) throws(ConfigurationError) -> Configuration {
        let owner = name ?? "Functional"
        let reader = KerasCalls(owner: owner)
        guard let values = settings["layers"]?.elements else {
            throw ConfigurationError(owner: owner, key: "layers", "it is missing")
        }
        var graph = KerasGraph(owner: owner)
        for value in values {
            let (className, settings) = try contents(of: value)
            let envelope = value.members ?? [:]
            guard let name = (envelope["name"] ?? settings.members?["name"])?.text else {
                throw ConfigurationError(
                    owner: className, key: "name", "it is missing; layers of a graph need names")
            }
            var entry = KerasGraph.Entry()
            if className == "InputLayer" {
                let ofInput = settings.members ?? [:]
                try checkInput(ofInput)
                entry.inputShape = try exampleShape(
                    ofInput["batch_shape"] ?? ofInput["batch_input_shape"] ?? .null, owner: name)
            } else {
                entry.layer = .object(try layer(className, settings, envelope: envelope))
                entry.calls = try KerasCalls(owner: name).calls(envelope["inbound_nodes"])
                // In Keras 2 the first call of a model is the one inside it, which is not listed.
                let isList = envelope["inbound_nodes"]?.elements?.first?.elements != nil
                entry.mayCountOwnCall = isList && settings.members?["layers"] != nil
                for call in entry.calls {
                    if call.isTraining == true {
                        throw ConfigurationError(
                            owner: name,
                            "it is called with training=True; Fovea's layers follow the mode that the model is called in"
                        )
                    }
                    if call.isTraining == false { noteInferenceCall(of: Self.name(name)) }
                }
            }
            guard graph.entries.updateValue(entry, forKey: name) == nil else {
                throw ConfigurationError(owner: owner, key: "layers", "two layers are named \(quoted(name))")
            }
        }
        graph.alignCalls()
        let inputs = try reader.references(settings["input_layers"])
        let outputs = try reader.references(settings["output_layers"])
        var result = try graph.configuration(inputs: inputs, outputs: outputs)
        result["name"] = name.map { .string(Self.name($0)) } ?? .null
        return result
    }
}

/// The layers of a functional model with their calls, to be brought into an order in which each call comes after what it reads.
struct KerasGraph {
    struct Entry {
        /// Of an input.
        var inputShape: ConfigurationValue?
        var layer: ConfigurationValue = .null
        var calls: [KerasCalls.Call] = []
        var mayCountOwnCall = false
    }

    let owner: String
    var entries: [String: Entry] = [:]

    init(owner: String) { self.owner = owner }

    /// Counts calls from 0 where Keras 2 counts the call inside a model, too.
    mutating func alignCalls() {
        let all = entries.values.flatMap { $0.calls.flatMap(\.inputs) }
        var least: [String: Int] = [:]
        for tensor in all { least[tensor.layer] = min(least[tensor.layer] ?? .max, tensor.call) }
        countingOwnCall = Set(
            entries.filter { $0.value.mayCountOwnCall && least[$0.key, default: 1] > 0 }.keys)
    }

    private var countingOwnCall: Set<String> = []

    private func call(_ tensor: KerasTensor) -> Int {
        // What leads to an output alone is not among `least`, so both numbers of a single call are taken.
        guard countingOwnCall.contains(tensor.layer), tensor.call > 0 else { return tensor.call }
        return tensor.call - 1
    }

    /// - Throws: `ConfigurationError` when a call reads what does not exist, or a layer its own output.
    func configuration(
        inputs: [KerasTensor], outputs: [KerasTensor]
    ) throws(ConfigurationError) -> Configuration {
        struct Node: Hashable {
            let layer: String
            let call: Int
        }
        var numbers: [Node: Int] = [:]
        var inputValues: [ConfigurationValue] = []
        for input in inputs {
            guard let shape = entries[input.layer]?.inputShape else {
                throw ConfigurationError(
                    owner: owner, key: "input_layers", "\(quoted(input.layer)) is no input layer")
            }
            guard numbers.updateValue(inputValues.count, forKey: Node(layer: input.layer, call: 0)) == nil
            else {
                throw ConfigurationError(
                    owner: owner, key: "input_layers", "\(quoted(input.layer)) is there twice")
            }
            inputValues.append(["name": .string(KerasReader.name(input.layer)), "shape": shape])
        }
        guard !inputs.isEmpty, !outputs.isEmpty else {
            throw ConfigurationError(owner: owner, "a model needs at least one input and one output")
        }

        var layers: [ConfigurationValue] = []
        var layerNumbers: [String: Int] = [:]
        var calls: [ConfigurationValue] = []
        var underWay = Set<Node>()
        func place(_ tensor: KerasTensor) -> ConfigurationValue {
            let node = Node(layer: tensor.layer, call: call(tensor))
            return .integers([numbers[node] ?? 0, tensor.output])
        }
        // An explicit stack: models may be deeper than the call stack allows.
        var stack: [(node: Node, next: Int)] = []
        for output in outputs {
            stack.append((Node(layer: output.layer, call: call(output)), 0))
            while let (node, next) = stack.last {
                guard numbers[node] == nil else {
                    stack.removeLast()
                    continue
                }
                guard let entry = entries[node.layer], entry.calls.indices.contains(node.call) else {
                    let isInput = entries[node.layer]?.inputShape != nil && node.call == 0
                    throw ConfigurationError(
                        owner: owner,
                        isInput
                            ? "\(quoted(node.layer)) is needed, but not among its input_layers"
                            : "something reads call \(node.call) of \(quoted(node.layer)), which does not exist"
                    )
                }
                let sources = entry.calls[node.call].inputs
                if next == 0, !underWay.insert(node).inserted {
                    throw ConfigurationError(
                        owner: owner, "\(quoted(node.layer)) reads its own output: a model has no cycles")
                }
                if next < sources.count {
                    stack[stack.count - 1].next += 1
                    let source = Node(layer: sources[next].layer, call: call(sources[next]))
                    if underWay.contains(source), numbers[source] == nil {
                        throw ConfigurationError(
                            owner: owner,
                            "\(quoted(source.layer)) reads its own output: a model has no cycles")
                    }
                    stack.append((source, 0))
                    continue
                }
                let number = layerNumbers[node.layer] ?? layers.count
                if layerNumbers.updateValue(number, forKey: node.layer) == nil { layers.append(entry.layer) }
                calls.append(["layer": .integer(number), "inputs": .list(sources.map(place))])
                numbers[node] = inputValues.count + calls.count - 1
                stack.removeLast()
            }
        }
        return [
            "inputs": .list(inputValues), "layers": .list(layers), "calls": .list(calls),
            "outputs": .list(outputs.map(place)),
        ]
    }
}
