import FoveaGraph
import Testing

@testable import FoveaLayers

@Suite struct SequentialTests {
    enum Head { case plain, wide }

    private func build(
        extra: Bool, deep: Bool, widths: [Int], head: Head, optional: (any Layer)?, nested: Dense?
    ) throws -> [String] {
        let model = try Sequential(input: [4]) {
            Activation(.linear)
            if extra { Dropout(rate: 0.5) }
            if deep {
                Dense(units: 3)
                Activation(.relu)
            } else {
                Flatten()
            }
            for width in widths {
                Dense(units: width)
                if width > 5 { Dropout(rate: 0.1) }
            }
            switch head {
            case .plain: Dense(units: 2)
            case .wide:
                Dense(units: 9)
                Dense(units: 9)
            }
            optional
            if let nested { nested }
        }
        return model.namedLayers.map(\.name)
    }

    @Test func builderKeepsEveryLayer() throws {
        #expect(
            try build(
                extra: true, deep: true, widths: [5, 6], head: .plain, optional: Flatten(),
                nested: Dense(units: 1))
                == [
                    "activation", "dropout", "dense", "activation_1", "dense_1", "dense_2", "dropout_1",
                    "dense_3",
                    "flatten", "dense_4",
                ])
        #expect(
            try build(extra: false, deep: false, widths: [], head: .wide, optional: nil, nested: nil)
                == ["activation", "flatten", "dense", "dense_1"])
    }

    @Test(arguments: [
        ("Conv2D", "conv2d"), ("MaxPooling2D", "max_pooling2d"),
        ("GlobalAveragePooling2D", "global_average_pooling2d"),
        ("PReLU", "p_re_lu"), ("LSTM", "lstm"), ("BatchNormalization", "batch_normalization"),
        ("Dense", "dense"),
    ])
    func snakeCaseAsInKeras(pair: (String, String)) { #expect(snakeCase(pair.0) == pair.1) }

    @Test func namesOfTheUserAreKept() throws {
        let model = try Sequential(input: [4]) {
            Dense(units: 2, name: "dense_1")
            Dense(units: 2)
            Dense(units: 2)
            Dense(units: 2, name: "logits")
        }
        #expect(model.namedLayers.map(\.name) == ["dense_1", "dense", "dense_2", "logits"])
        #expect(model.layers.count == 4)
    }

    @Test(arguments: ["", "a/b", "a\nb", "\u{1b}[2J", "a\u{2028}b"])
    func badNames(name: String) {
        #expect(throws: ShapeError.self) { try Sequential(input: [4]) { Dense(units: 2, name: name) } }
        #expect(throws: ShapeError.self) { try Sequential(name: name, input: [4]) { Dense(units: 2) } }
    }

    @Test func repetitionsAreErrors() {
        let names = #expect(throws: ShapeError.self) {
            try Sequential(name: "m", input: [4]) {
                Dense(units: 2, name: "a")
                Dense(units: 3, name: "a")
            }
        }
        #expect(names?.description == "m: Sequential: two layers are named 'a'; give each its own name")
        let layer = Activation(.relu)
        let objects = #expect(throws: ShapeError.self) {
            try Sequential(input: [4]) {
                layer
                Sequential { layer }
            }
        }
        #expect(objects?.description.contains("occurs twice") == true)
        #expect(throws: ShapeError.self) { try Sequential(input: [4]) {} }
        #expect(throws: ShapeError.self) { try Sequential(input: [4]) { Sequential {} } }
    }

    @Test func errorsNameTheLayer() throws {
        let error = #expect(throws: ShapeError.self) {
            try Sequential(name: "outer", input: [9, 9, 1]) {
                Sequential(name: "block") {
                    Conv2D(filters: 2, kernelSize: 3)
                    Conv2D(filters: 2, kernelSize: 8)
                }
            }
        }
        #expect(error?.path == ["outer", "block", "conv2d_1"])
        #expect(error?.description.hasPrefix("outer/block/conv2d_1: Conv2D: ") == true)

        let model = try model(Dense(units: 2), input: [4])
        let call = #expect(throws: ShapeError.self) { try model(Tensor.input("x", [5])) }
        #expect(call?.path == ["model", "dense"])
    }

    @Test func shapesNeedABuild() throws {
        let open = Sequential(name: "open") { Dense(units: 2) }
        let error = #expect(throws: ShapeError.self) { try open.inputShape }
        #expect(error?.description.contains("build first") == true)
        #expect(throws: ShapeError.self) { try open(Tensor.input("x", [3])) }
        let outer = try Sequential(input: [3, 5]) { open }
        #expect(try outer.outputShape == [3, 2])
        #expect(try open.inputShape == [3, 5])
    }

    @Test func nestedModels() async throws {
        let model = try Sequential(input: [6, 5, 1], seed: 3) {
            Sequential(name: "block") {
                Conv2D(filters: 2, kernelSize: 3)
                Conv2D(filters: 2, kernelSize: 1)
            }
            Conv2D(filters: 2, kernelSize: 3)
            Sequential { Flatten() }
        }
        let paths = [
            "block/conv2d/kernel", "block/conv2d/bias", "block/conv2d_1/kernel", "block/conv2d_1/bias",
            "conv2d/kernel",
            "conv2d/bias",
        ]
        #expect(model.parameters.map(\.path) == paths)
        #expect(model.parameters.compactMap(\.parameter.variable?.name) == paths)
        #expect(model.namedLayers.map(\.name) == ["block", "conv2d", "sequential"])
        #expect(try model.outputShape == [4])

        // What is nested computes what the same layers in a row compute, from the same first values.
        let flat = try Sequential(input: [6, 5, 1], seed: 3) {
            Conv2D(filters: 2, kernelSize: 3)
            Conv2D(filters: 2, kernelSize: 1)
            Conv2D(filters: 2, kernelSize: 3)
            Flatten()
        }
        let x = try hashed(1, [2, 6, 5, 1])
        #expect(try await outputs(of: model, for: x) == outputs(of: flat, for: x))
    }

    @Test func aBuiltModelKeepsItsValuesInsideAnother() async throws {
        let base = try Sequential(name: "base", input: [4], seed: 1) { Dense(units: 3) }
        let before = try await values(of: base)
        let outer = try Sequential(input: [4], seed: 2) {
            base
            Dense(units: 2)
        }
        #expect(try await values(of: base) == before)
        #expect(try await values(of: outer)[0] == before[0])
        let error = #expect(throws: ShapeError.self) { try Sequential(input: [5]) { base } }
        #expect(error?.path == ["sequential", "base", "dense"])
    }

    @Test func seedsDecideTheFirstValues() async throws {
        func model(_ seed: UInt64) throws -> Sequential {
            try Sequential(input: [8, 8, 4], seed: seed) {
                Conv2D(filters: 4, kernelSize: 3)
                Conv2D(filters: 4, kernelSize: 3)
                Flatten()
                Dense(units: 5, kernelInitializer: .heNormal)
            }
        }
        let first = try await values(of: try model(4))
        #expect(try await values(of: model(4)) == first)
        #expect(try await values(of: model(5))[0] != first[0])
        // Two kernels of one shape differ too.
        #expect(first[0].count == first[2].count && first[0] != first[2])
    }

    @Test func frozenParameters() throws {
        let layer = Dense(units: 3)
        let model = try Sequential(input: [4]) {
            layer
            Dense(units: 2)
        }
        layer.kernel.isTrainable = false
        #expect(model.trainableParameters.map(\.path) == ["dense/bias", "dense_1/kernel", "dense_1/bias"])
    }

    @Test func tooManyParametersInAll() {
        let error = #expect(throws: ShapeError.self) {
            try Sequential(name: "m", input: [1]) {
                Dense(units: 1000)
                Dense(units: 1 << 21)
            }
        }
        #expect(error?.path == ["m", "dense_1"])
    }
}
