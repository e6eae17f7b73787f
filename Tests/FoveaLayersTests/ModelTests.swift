import FoveaGraph
import FoveaRuntime
import Testing

@testable import FoveaLayers

/// Models that are graphs of layers.
@Suite struct ModelTests {
    private let x = LayerOutput.input("x", [4])
    private let y = LayerOutput.input("y", [4])

    private func message(_ make: () throws -> any ModelProtocol) -> String {
        do {
            _ = try make()
            return "no error"
        } catch { return "\(error)" }
    }

    private func run(_ model: Model, _ feeds: [String: [Float]]) async throws -> [[Float]] {
        let inputs = model.modelInputs.map { Tensor.input($0.name, $0.shape) }
        let outputs = try model.outputs(for: inputs)
        var results: [[Float]] = []
        for output in outputs {
            let feeds = try feeds.mapValues { try TensorValue(shape: [1, $0.count], $0) }
            results.append(try await evaluate(output, feeds: feeds, batch: 1).floats)
        }
        return results
    }

    // MARK: Values

    @Test func severalInputsAndOutputs() async throws {
        let sum = Add()([x, y])
        let model = try Model(inputs: [x, y], outputs: [Subtract()([sum, y]), Multiply()([sum, x])])
        let results = try await run(model, ["x": [1, 2, 3, 4], "y": [10, 20, 30, 40]])
        #expect(results == [[1, 2, 3, 4], [11, 44, 99, 176]])
        #expect(model.namedOutputs.map(\.name) == ["subtract", "multiply"])
        #expect(model.modelInputs.map(\.name) == ["x", "y"])
        // Inputs are those listed, in that order.
        let turned = try Model(inputs: [y, x], outputs: [Subtract()([x, y])])
        #expect(turned.modelInputs.map(\.name) == ["y", "x"])
        #expect(try await run(turned, ["x": [5, 5, 5, 5], "y": [1, 2, 3, 4]]) == [[4, 3, 2, 1]])
    }

    @Test func aLayerCalledTwiceSharesItsParameters() async throws {
        let dense = Dense(units: 4, useBias: false, name: "shared")
        let model = try Model(inputs: [x], outputs: [dense(dense(x))])
        #expect(model.parameters.map(\.path) == ["shared/kernel"])
        try await set(dense.kernel, (0..<16).map { $0 % 5 == 0 ? 3 : 0 })
        #expect(try await run(model, ["x": [1, 2, 3, 4]]) == [[9, 18, 27, 36]])
        let error = message { try Model(inputs: [x], outputs: [dense(Dense(units: 3)(x))]) }
        #expect(error.contains("shared") && error.contains("[4, 4]") && error.contains("[3, 4]"))
    }

    @Test func modelsInsideModels() async throws {
        let inner = try Model(
            inputs: [x], outputs: [Rescaling(scale: 2)(x), Rescaling(scale: 3)(x)], name: "inner")
        let z = LayerOutput.input("z", [4])
        let parts = inner.outputs(for: [z])
        let sequential = Sequential(name: "tail") {
            Add()
            Rescaling(scale: 10)
        }
        #expect(message { try Model(inputs: [z], outputs: [sequential(parts)]) }.contains("one input"))
        let tail = Sequential(name: "tail") { Rescaling(scale: 10) }
        let model = try Model(inputs: [z], outputs: [tail(Add()(parts)), parts[1]])
        #expect(try await run(model, ["z": [1, 2, 3, 4]]) == [[50, 100, 150, 200], [3, 6, 9, 12]])
        #expect(model.namedOutputs.map(\.name) == ["tail", "inner"])
        let base = Sequential(name: "base") { model.layers[0] }
        let one = try Model(inputs: [z], outputs: [base(z)].prefix(0) + [inner.outputs(for: [z])[0]])
        #expect(try await run(one, ["z": [1, 1, 1, 1]]) == [[2, 2, 2, 2]])
    }

    @Test func partsOfOtherModelsShareLayersAndValues() async throws {
        let whole = try Sequential(name: "whole", input: [4], seed: 3) {
            Dense(units: 5, activation: .tanh)
            Dense(units: 3, name: "middle")
            Dense(units: 2)
        }
        let middle = try Model(inputs: whole.inputs, outputs: [whole.output(of: "middle")], seed: 77)
        let longer = try Model(
            inputs: whole.inputs,
            outputs: [Rescaling(scale: 2)(whole.output(of: "middle")), whole.outputs[0]])
        #expect(middle.layers[0] === whole.layers[0] && longer.layers[1] === whole.layers[1])
        #expect(
            middle.parameters.map(\.path) == ["dense/kernel", "dense/bias", "middle/kernel", "middle/bias"])
        #expect(longer.namedLayers.map(\.name) == ["dense", "middle", "rescaling", "dense_1"])
        let input: [Float] = [0.5, -1, 2, 0.25]
        let inside = try await run(middle, ["inputs": input])[0]
        let both = try await run(longer, ["inputs": input])
        #expect(both[0] == inside.map { 2 * $0 })
        #expect(both[1] == (try await outputs(of: whole, for: TensorValue(shape: [1, 4], input)).floats))
        #expect(
            message { try Model(inputs: whole.inputs, outputs: [whole.output(of: "midle")]) }
                .contains("did you mean 'middle'?"))
    }

    // MARK: Mistakes

    @Test func graphsThatDoNotHangTogether() throws {
        let missing = message { try Model(inputs: [x], outputs: [Add()([x, y])], name: "m") }
        #expect(missing.contains("m: Model: output 'add' needs the input 'y'"))
        let idle = message { try Model(inputs: [x, y], outputs: [Dense(units: 1)(x)]) }
        #expect(idle.contains("input 'y' is used by no output"))
        #expect(message { try Model(inputs: [Dense(units: 2)(x)], outputs: [y]) }.contains("no input"))
        #expect(message { try Model(inputs: [x, x], outputs: [Flatten()(x)]) }.contains("listed twice"))
        #expect(message { try Model(inputs: [], outputs: [x]) }.contains("at least one input"))
        #expect(message { try Model(inputs: [x], outputs: []) }.contains("one output"))
        #expect(message { try Model(inputs: [x], outputs: [x]) }.contains("no layers"))
    }

    @Test func namesMustDiffer() throws {
        let twins = message {
            try Model(inputs: [x], outputs: [Dense(units: 2, name: "a")(Dense(units: 2, name: "a")(x))])
        }
        #expect(twins.contains("two layers are named 'a'"))
        let input = message { try Model(inputs: [x], outputs: [Dense(units: 2, name: "x")(x)]) }
        #expect(input.contains("named 'x'"))
        #expect(
            message { try Model(inputs: [x], outputs: [Dense(units: 2, name: "a/b")(x)]) }.contains("no name")
        )
        let chosen = try Model(inputs: [x], outputs: [Dense(units: 2)(Dense(units: 2, name: "dense")(x))])
        #expect(chosen.namedLayers.map(\.name) == ["dense", "dense_1"])
    }

    @Test func shapesThatDoNotFitAreNamedWithTheLayer() throws {
        let error = #expect(throws: ShapeError.self) {
            try Model(
                inputs: [x, y], outputs: [Add(name: "join")([Dense(units: 3)(x), y])], name: "m")
        }
        #expect(error?.path == ["m", "join"])
        #expect(error?.shapes == [[-1, 3], [-1, 4]])
        #expect(
            message { try Model(inputs: [x, y], outputs: [Dense(units: 1, name: "d")([x, y])]) }
                .contains("d: Dense: it has one input, not 2"))
    }

    /// In files a call can only read what comes before it.
    @Test func cyclesInFiles() throws {
        let model = try Model(inputs: [x], outputs: [Flatten()(Dense(units: 2)(x))])
        func broken(_ edit: (inout Configuration) -> Void) throws -> String {
            var architecture = try model.architecture
            guard case .object(var configuration) = architecture["config"] else { return "" }
            edit(&configuration)
            architecture["config"] = .object(configuration)
            return message { try makeModel(architecture) }
        }
        func call(_ layer: Int, _ node: Int, _ output: Int = 0) -> ConfigurationValue {
            ["layer": .integer(layer), "inputs": [[.integer(node), .integer(output)]]]
        }
        #expect(try broken { _ in } == "no error")
        for (node, output) in [(2, 0), (1, 0), (7, 0), (Int.max, 0), (0, -1), (-1, 0)] {
            let text = try broken { $0["calls"] = [call(0, node, output), call(1, 1)] }
            #expect(text.contains("calls[0]"), "\(node), \(output): \(text)")
        }
        #expect(try broken { $0["calls"] = [call(0, 0), call(1, 1, 3)] }.contains("does not exist"))
        #expect(try broken { $0["calls"] = [call(0, 0, 1), call(1, 1)] }.contains("does not exist"))
        #expect(try broken { $0["calls"] = [call(0, 0), call(0, 1)] }.contains("is never called"))
        #expect(try broken { $0["calls"] = [call(5, 0)] }.contains("there is no 5"))
        #expect(try broken { $0["outputs"] = [] }.contains("at least one"))
        #expect(try broken { $0["outputs"] = [[.integer(9), .integer(0)]] }.contains("does not exist"))
        #expect(
            try broken { $0["inputs"] = [["name": .string("x"), "shape": .null]] }.contains("needs a shape"))
    }

    /// Each model calls the one before it twice.
    @Test func filesCannotMakeEndlessCalls() throws {
        func inside(_ layer: any Layer) -> Model {
            let x = LayerOutput.input("x", [2])
            return Model(
                LayerGraph(
                    inputs: [ModelInput("x", [2])], layers: [("layer", layer)],
                    calls: [
                        .init(layer: 0, inputs: [.init(node: 0, output: 0)]),
                        .init(layer: 0, inputs: [.init(node: 1, output: 0)]),
                    ], outputs: [.init(node: 2, output: 0)]), name: x.sourceName)
        }
        for depth in [20, 60, 400] {
            var model = inside(Activation(.tanh))
            for _ in 0..<depth { model = inside(model) }
            let error = #expect(throws: ShapeError.self) { try model.build(seed: 0) }
            #expect(
                error?.message.contains("more than 10000 layers; models inside are used too often") == true)
            #expect(error?.path == ["x"])
        }
    }

    /// As often as real networks and more; not as often as files of a few hundred kilobytes could ask for.
    @Test func callsAreLimited() throws {
        func repeated(_ count: Int, _ layer: any Layer) -> Model {
            Model(
                LayerGraph(
                    inputs: [ModelInput("x", [2])], layers: [("layer", layer)],
                    calls: (0..<count).map { .init(layer: 0, inputs: [.init(node: $0, output: 0)]) },
                    outputs: [.init(node: count, output: 0)]), name: "repeated")
        }
        try repeated(BuildScope.callLimit, Activation(.tanh)).build(seed: 0)
        let tooMany = #expect(throws: ShapeError.self) {
            try repeated(BuildScope.callLimit + 1, Activation(.tanh)).build(seed: 0)
        }
        #expect(tooMany?.description.hasPrefix("repeated: Model: it calls more than 10000 layers") == true)
        let layers = #expect(throws: ShapeError.self) {
            try Sequential(input: [2]) { for _ in 0...BuildScope.callLimit { Activation(.tanh) } }
        }
        #expect(layers?.description.contains("Sequential: it calls more than 10000 layers") == true)

        // Each model around another one calls it while it is built and again afterwards.
        var nested = repeated(5_000, Activation(.tanh))
        for _ in 0..<20 { nested = repeated(1, nested) }
        let tooDeep = #expect(throws: ShapeError.self) { try nested.build(seed: 0) }
        #expect(tooDeep?.description.contains("models are nested too deep") == true)
    }

    /// What a layer gives for one example is limited where it is built, with the path of the layer.
    @Test func activationsAreLimited() throws {
        let error = #expect(throws: ShapeError.self) {
            try Sequential(name: "outer", input: [28, 28, 1]) {
                Sequential(name: "inner") { ZeroPadding2D(padding: 20_000, name: "border") }
            }
        }
        #expect(error?.path == ["outer", "inner", "border"])
        #expect(error?.message.contains("at most 536870912 elements per example") == true)
        // A convolution of 64 channels on a picture of 3840×2160 pixels has room.
        let large = try Sequential(input: [2160, 3840, 3]) {
            Conv2D(filters: 64, kernelSize: 3, padding: .same)
        }
        #expect(try large.outputShape == [2160, 3840, 64])
    }

    @Test func longChainsAreReleased() throws {
        var x = x
        for _ in 0..<50_000 { x = Activation(.linear)(x) }
        #expect(x.sourceName == "activation")
    }

    // MARK: Summary

    @Test func summaryShowsConnections() throws {
        let dense = Dense(units: 4, name: "shared")
        let inner = try Sequential(name: "inner", input: [4]) { Dense(units: 4) }
        inner.isTrainable = false
        let model = try Model(
            inputs: [x, y], outputs: [inner(Add(name: "join")([dense(x), dense(y)]))], name: "m")
        let lines = model.summary().split(separator: "\n").map(String.init)
        func row(_ name: String) -> [String] {
            (lines.first { $0.contains("│ \(name) (") } ?? "").split(separator: "│")
                .map { $0.trimmingCharacters(in: .whitespaces) }
        }
        #expect(row("x") == ["x (Input)", "(None, 4)", "0", "-"])
        #expect(row("shared") == ["shared (Dense)", "(None, 4)", "20", "x, y"])
        #expect(row("join") == ["join (Add)", "(None, 4)", "0", "shared, shared"])
        #expect(row("inner") == ["inner (Sequential)", "(None, 4)", "20", "join"])
        #expect(lines.contains { $0.hasPrefix(" Total params: 40 ") })
        #expect(lines.contains { $0.hasPrefix(" Trainable params: 20 ") })
        #expect(lines.contains { $0.hasPrefix(" Non-trainable params: 20 ") })
        #expect(!model.summary().contains("  dense (Dense)"))
        #expect(model.summary(expandNested: true).contains("│   dense (Dense)"))
    }

    // MARK: Freezing

    @Test func freezingFromALayerOn() throws {
        let model = try Sequential(name: "m", input: [4]) {
            Dense(units: 3, name: "a")
            BatchNormalization(name: "b")
            Dense(units: 2, name: "c")
        }
        model.isTrainable = false
        #expect(model.trainableParameters.isEmpty)
        #expect(try model.setTrainable(from: "b") == 6 + 8)
        #expect(model.trainableParameters.map(\.path) == ["b/gamma", "b/beta", "c/kernel", "c/bias"])
        try model.layer(named: "c").isTrainable = false
        #expect(model.trainableParameters.map(\.path) == ["b/gamma", "b/beta"])
        #expect(throws: ShapeError.self) { try model.setTrainable(from: "d") }
    }
}

/// Layers made of layers, with a `call` of their own.
@Suite struct CompositeLayerTests {
    private final class Block: UnaryLayer {
        let name: String? = nil
        let first = Dense(units: 3, activation: .relu)
        let second = Dense(units: 4)
        let scale = Parameter("scale", initializer: .constant(2))
        let hasScale: Bool

        init(hasScale: Bool) { self.hasScale = hasScale }

        var ownParameters: [Parameter] { hasScale ? [scale] : [] }
        var namedLayers: [(name: String, layer: any Layer)] { [("first", first), ("second", second)] }

        func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
            if hasScale { try scale.declare(shape: [input.channels], in: &scope) }
            try buildLayers([input], in: &scope)
        }

        func call(_ x: Tensor) throws(ShapeError) -> Tensor {
            let y = try x + second(first(x))
            return hasScale ? try y * scale.tensor : y
        }
    }

    /// Two blocks, of which the second is called twice.
    private final class Network: UnaryLayer {
        let name: String? = "network"
        let one = Block(hasScale: true)
        let two = Block(hasScale: false)
        var namedLayers: [(name: String, layer: any Layer)] { [("one", one), ("two", two)] }
        func call(_ x: Tensor) throws(ShapeError) -> Tensor { try two(two(one(x))) }
    }

    private final class Forgetful: UnaryLayer {
        let name: String? = nil
        private let hidden = Dense(units: 2)
        func call(_ x: Tensor) throws(ShapeError) -> Tensor { try hidden(x) }
    }

    @Test func layersInsideAreBuiltWhereTheyAreCalled() async throws {
        let network = Network()
        let model = try Model(network, input: [4], name: "own", seed: 5)
        #expect(
            model.parameters.map(\.path) == [
                "network/one/scale", "network/one/first/kernel", "network/one/first/bias",
                "network/one/second/kernel", "network/one/second/bias", "network/two/first/kernel",
                "network/two/first/bias", "network/two/second/kernel", "network/two/second/bias",
            ])
        #expect(model.parameters.last?.parameter.variable?.name == "network/two/second/bias")
        for block in [network.one, network.two] {
            try await set(block.first.kernel, (0..<12).map { $0 % 4 == 0 ? 1 : 0 })
            try await set(block.second.kernel, (0..<12).map { $0 % 5 == 0 ? 1 : 0 })
        }
        // f(x) is the positive part of the first three numbers.
        let x = try TensorValue(shape: [1, 4], [1, -1, 2, 5])
        #expect(try await outputs(of: model, for: x).floats == [16, -2, 32, 10])
    }

    @Test func theSameSeedGivesTheSameValues() async throws {
        let models = try [5, 5, 6].map { try Model(Network(), input: [4], seed: $0) }
        let all = try await [values(of: models[0]), values(of: models[1]), values(of: models[2])]
        #expect(all[0] == all[1] && all[0] != all[2])
    }

    @Test func errorsNameEveryLayerAround() throws {
        let error = #expect(throws: ShapeError.self) { try Model(Network(), input: [5], name: "own") }
        #expect(error?.path.starts(with: ["own", "network", "one"]) == true)
        let forgotten = #expect(throws: ShapeError.self) { try Model(Forgetful(), input: [5]) }
        #expect(forgotten?.description.contains("namedLayers") == true)
    }

    @Test func filesCannotHoldThem() throws {
        let model = try Model(Network(), input: [4], name: "own")
        let error = #expect(throws: ConfigurationError.self) { try model.architecture }
        #expect(error?.description.contains("network") == true)
        #expect(error?.description.contains("weights only") == true)
    }
}
