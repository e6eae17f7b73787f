import FoveaGraph
import FoveaLayers

/// How much a map changes when what the model has learned is replaced with random numbers, layer by layer from its end.
///
/// A map that stays the same shows the input, not what the model made of it. The cascading randomization of Adebayo et al. 2018,
/// "Sanity checks for saliency maps", arXiv:1810.03292.
public struct RandomizationTest: Sendable {
    /// After some layers have become random.
    public struct Stage: Sendable {
        /// Those that became random in this stage, the last of the model first; those of earlier stages stay so.
        public let layers: [String]
        /// How alike the maps are: Spearman's rank correlation of their values without sign, in -1…1; 0 where a map is the same everywhere.
        public let correlation: Double
        /// The attribution of the class after that.
        public let attribution: Attribution
    }

    /// With everything as it was learned.
    public let original: Attribution
    public let stages: [Stage]
}

extension Explainer {
    /// Replaces the parameters of layers that are learned with new first values, from the end of the model to its beginning, and
    /// looks how the map changes. The model itself stays as it is.
    ///
    /// - Parameters:
    ///   - inputs: one example, `[1, …]` for each input of the model.
    ///   - method: how it is told which parts decided.
    ///   - classIndex: the class that is explained; the most probable one of the learned model when nil.
    ///   - layer: as for `explain`.
    ///   - stages: in how many steps the layers become random, each with as many of them; every layer by itself when there are
    ///     fewer.
    ///   - seed: of the random numbers.
    /// - Throws: as `explain`; `InsightError` when no layer has parameters that are learned.
    public func randomizationTest(
        _ inputs: [TensorValue], method: AttributionMethod = .gradCAM, class classIndex: Int? = nil,
        layer: String? = nil, stages: Int = 5, seed: UInt64 = 0
    ) async throws -> RandomizationTest {
        guard stages > 0 else {
            throw InsightError.invalidArgument("stages", "\(stages)", expected: "positive")
        }
        let layers = learnedLayers.reversed() as [(path: String, parameters: [Parameter])]
        guard !layers.isEmpty else {
            throw InsightError.unsuitable(
                "the randomization test", model: model.displayName,
                "no layer of it has parameters that are learned")
        }
        let (values, count) = try arguments.checked(inputs)
        guard count == 1 else {
            throw InsightError.invalidArgument("the number of examples", "\(count)", expected: "1")
        }
        let original = try await explain(values, method: method, class: classIndex, layer: layer)[0]
        let stageCount = min(stages, layers.count)
        var replacements: [Variable: Variable] = [:]
        var results: [RandomizationTest.Stage] = []
        var stream: UInt32 = 0
        for stage in 0..<stageCount {
            let range = (layers.count * stage / stageCount)..<(layers.count * (stage + 1) / stageCount)
            for parameter in layers[range].flatMap(\.parameters) {
                guard let variable = parameter.variable else { continue }
                stream += 1
                let value = try parameter.initializer.value(
                    shape: variable.shape, seed: seed, stream: stream)
                replacements[variable] = Variable(name: variable.name, initial: value)
            }
            let random = try Explainer(
                model, traced.replacing(replacements), arguments, score, output: outputName,
                input: arguments.inputs[inputIndex].name, device)
            let attribution = try await random.explain(
                values, method: method, class: original.classIndex, layer: layer)[0]
            results.append(
                RandomizationTest.Stage(
                    layers: layers[range].map(\.path),
                    correlation: rankCorrelation(
                        original.map.floats.map(abs), attribution.map.floats.map(abs)),
                    attribution: attribution))
        }
        return RandomizationTest(original: original, stages: results)
    }

    /// Layers on the way to the output that have parameters of their own which are learned, with all of their parameters, so that
    /// statistics go with the weights that they are of; in the order in which they are computed.
    private var learnedLayers: [(path: String, parameters: [Parameter])] {
        let variables = Set(
            topologicalOrder(of: [scores.logits]).compactMap { tensor -> Variable? in
                if case .source(.variable(let variable)) = tensor.operation { variable } else { nil }
            })
        return traced.layers.compactMap { traced in
            let parameters = traced.layer.ownParameters
            let counts = parameters.contains { parameter in
                parameter.isLearned && parameter.variable.map(variables.contains) == true
            }
            return counts ? (traced.path, parameters) : nil
        }
    }
}

/// Spearman's correlation: that of the ranks, where equal numbers share the mean of theirs. 0 where all of one side are equal.
func rankCorrelation(_ a: [Float], _ b: [Float]) -> Double {
    let (a, b) = (ranks(a), ranks(b))
    let middle = Double(a.count - 1) / 2
    var (products, squaresOfA, squaresOfB) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
        products += (x - middle) * (y - middle)
        squaresOfA += (x - middle) * (x - middle)
        squaresOfB += (y - middle) * (y - middle)
    }
    let scale = (squaresOfA * squaresOfB).squareRoot()
    return scale > 0 ? products / scale : 0
}

private func ranks(_ numbers: [Float]) -> [Double] {
    let order = numbers.indices.sorted { numbers[$0] < numbers[$1] }
    var ranks = [Double](repeating: 0, count: numbers.count)
    var start = 0
    while start < order.count {
        var end = start + 1
        while end < order.count, numbers[order[end]] == numbers[order[start]] { end += 1 }
        for place in order[start..<end] { ranks[place] = Double(start + end - 1) / 2 }
        start = end
    }
    return ranks
}
