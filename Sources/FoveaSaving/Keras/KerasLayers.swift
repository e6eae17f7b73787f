import FoveaLayers

extension ModelProtocol {
    /// The layers in the order of Keras's `model.layers`, inputs left out. It numbers the groups of weight files and orders the
    /// variables of optimizers, so it must be Keras's exactly.
    var kerasLayers: [(name: String, layer: any Layer)] {
        self is Sequential ? namedLayers : KerasOrder(self).layers
    }

    /// What Keras calls the class.
    var kerasClassName: String { self is Sequential ? "Sequential" : "Functional" }
}

/// The layers of a graph by their depth, the length of the longest way to an output; those of one depth in the order in which a
/// walk from the outputs first comes to them.
private struct KerasOrder {
    private(set) var layers: [(name: String, layer: any Layer)] = []

    init(_ model: any ModelProtocol) {
        let calls = model.calls
        var callOf: [LayerOutput: Int] = [:]
        for (number, call) in calls.enumerated() {
            for output in call.outputs { callOf[output] = number }
        }
        let sources = calls.map { $0.inputs.compactMap { callOf[$0] } }
        let layerOf = calls.map { ObjectIdentifier($0.layer) }

        // Calls in the order in which the walk leaves them, layers in that in which it comes to them.
        var left: [Int] = []
        var (isLeft, isReached) = (
            [Bool](repeating: false, count: calls.count), [Bool](repeating: false, count: calls.count)
        )
        var firstVisit: [ObjectIdentifier: Int] = [:]
        var stack: [(call: Int, next: Int)] = []
        for output in model.outputs {
            if let call = callOf[output] { stack.append((call, 0)) }
            while let (call, next) = stack.last {
                if isLeft[call] {
                    stack.removeLast()
                    continue
                }
                if !isReached[call] {
                    isReached[call] = true
                    if firstVisit[layerOf[call]] == nil { firstVisit[layerOf[call]] = firstVisit.count }
                }
                if next < sources[call].count {
                    stack[stack.count - 1].next += 1
                    stack.append((sources[call][next], 0))
                    continue
                }
                isLeft[call] = true
                left.append(call)
                stack.removeLast()
            }
        }

        var depths = [Int](repeating: 0, count: calls.count)
        var layerDepths: [ObjectIdentifier: Int] = [:]
        for call in left.reversed() {
            // A layer that is called twice is as deep as its deeper call was when the walk came there.
            let depth = max(depths[call], layerDepths[layerOf[call], default: 0])
            layerDepths[layerOf[call]] = depth
            for source in sources[call] { depths[source] = max(depths[source], depth + 1) }
        }
        func key(_ layer: any Layer) -> (Int, Int) {
            let identity = ObjectIdentifier(layer)
            return (-layerDepths[identity, default: 0], firstVisit[identity, default: .max])
        }
        layers = model.namedLayers.sorted { key($0.layer) < key($1.layer) }
    }
}

/// A parameter with its path in the model.
struct KerasParameter {
    let path: String
    let parameter: Parameter
}

extension Layer {
    /// The parameters of the layer and those inside, in the order of Keras's `layer.weights`.
    ///
    /// - Parameter path: the layer's, which comes before theirs.
    func kerasParameters(_ path: String) -> [KerasParameter] {
        if let model = self as? any ModelProtocol {
            return model.kerasLayers.flatMap { $0.layer.kerasParameters("\(path)/\($0.name)") }
        }
        let all = parameters.map { KerasParameter(path: "\(path)/\($0.path)", parameter: $0.parameter) }
        return all.filter(\.parameter.isLearned) + all.filter { !$0.parameter.isLearned }
    }

    /// Those that are trained first: the order of files of Keras 2.
    func kerasLegacyParameters(_ path: String) -> [KerasParameter] {
        let all = distinct(kerasParameters(path))
        return all.filter(\.parameter.isTrainable) + all.filter { !$0.parameter.isTrainable }
    }
}

extension ModelProtocol {
    /// What an optimizer of Keras changes, in its order.
    var kerasTrainedParameters: [KerasParameter] {
        distinct(kerasLayers.flatMap { $0.layer.kerasParameters($0.name) }).filter(\.parameter.isTrainable)
    }
}

/// Each parameter once, under its first path.
private func distinct(_ parameters: [KerasParameter]) -> [KerasParameter] {
    var seen = Set<ObjectIdentifier>()
    return parameters.filter { seen.insert(ObjectIdentifier($0.parameter)).inserted }
}
