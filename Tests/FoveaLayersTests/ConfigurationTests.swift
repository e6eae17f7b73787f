import Foundation
import FoveaGraph
import FoveaLayers
import Testing

@Suite struct ConfigurationTests {
    /// `2 · x` plus a dense layer used twice.
    private static func twoPaths() throws -> Model {
        let x = LayerOutput.input("x", [5, 11, 3])
        let shared = Dense(units: 3, useBias: false, kernelInitializer: .ones)
        let sequential = Sequential(name: "path") { shared }
        let y = sequential(Activation(.tanh)(sequential(x)))
        let joined = Concatenate()([
            Add()([x, y]), Subtract()([x, y]), Multiply()([x, y]), Average()([x, y]),
        ])
        let extremes = Concatenate(axis: -1)([Maximum()([x, y]), Minimum()([x, y])])
        let last = Dense(units: 3, kernelInitializer: .constant(0.125))
        return try Model(
            inputs: [x], outputs: [last(Concatenate(axis: 3)([joined, extremes]))], name: "graph")
    }

    static func everything() throws -> Sequential {
        let twoPaths = try twoPaths()
        return try Sequential(name: "all", input: [13, 11, 4], seed: 9) {
            Conv2D(
                filters: 6, kernelSize: [3, 2], strides: [1, 2], padding: .same, groups: 2,
                activation: .swish,
                kernelInitializer: .heNormal, biasInitializer: .constant(0.25))
            Conv2D(filters: 4, kernelSize: 2, dilationRate: [2, 1], activation: .leakyRelu, useBias: false)
            BatchNormalization(
                momentum: 0.5, scale: false, betaInitializer: .constant(0.5), betaRegularizer: .l2(0.25),
                gammaConstraint: .nonNegative)
            ReLU(maxValue: 6, negativeSlope: 0.125)
            Activation(.gelu, name: "bend")
            MaxPooling2D(poolSize: [3, 2], strides: 1, padding: .same)
            Sequential(name: "block") {
                AveragePooling2D(poolSize: [2, 1])
                Dense(
                    units: 3, activation: .softplus, kernelInitializer: .randomUniform(min: -1, max: 0.5),
                    biasInitializer: .truncatedNormal(mean: 1, stddev: 0.125))
            }
            Dropout(rate: 0.25)
            twoPaths
            Reshape(targetShape: [-1, 5, 3])
            Sequential(name: "images") {
                ZeroPadding2D(padding: ((1, 2), (0, 3)))
                Cropping2D(cropping: ((1, 0), (2, 0)))
                UpSampling2D(size: [1, 2], interpolation: .bilinear)
                Conv2DTranspose(
                    filters: 2, kernelSize: [2, 3], strides: 2, padding: .same, outputPadding: [1, 0],
                    dataFormat: .channelsFirst)
                DepthwiseConv2D(
                    kernelSize: [2, 1], padding: .same, depthMultiplier: 2, depthwiseInitializer: .heNormal)
                SeparableConv2D(
                    filters: 3, kernelSize: 2, depthMultiplier: 2, depthwiseInitializer: .ones,
                    pointwiseInitializer: .lecunUniform)
            }
            Reshape(targetShape: [-1, 3])
            Sequential(name: "sequences") {
                Conv1D(filters: 4, kernelSize: 3, padding: .causal, dilationRate: 2)
                MaxPooling1D(poolSize: 3, strides: 2, padding: .same)
                AveragePooling1D(dataFormat: .channelsFirst)
                GlobalMaxPooling1D(keepDims: true)
                GlobalAveragePooling1D()
            }
            Reshape(targetShape: [1, 2, 1])
            Sequential(name: "means") {
                GlobalAveragePooling2D(keepDims: true)
                GlobalMaxPooling2D(dataFormat: .channelsFirst, keepDims: true)
            }
            Flatten()
            Dense(
                units: 2, activation: .elu, useBias: false,
                kernelInitializer: .randomNormal(mean: 0, stddev: 1))
        }
    }

    @Test func roundTripOfANetwork() async throws {
        let model = try Self.everything()
        let data = try JSONEncoder().encode(model.architecture)
        let read = try JSONDecoder().decode(Configuration.self, from: data)
        let copy = try makeModel(read, seed: 9)
        #expect(try copy.architecture == model.architecture)
        #expect(copy.summary() == model.summary())
        #expect(try await values(of: copy) == values(of: model))
        let x = try hashed(1, [2, 13, 11, 4])
        #expect(try await outputs(of: copy, for: x) == outputs(of: model, for: x))
    }

    /// Files of channels-last layers, and those from before there was a choice, have no `data_format`.
    @Test func dataFormatIsOptional() throws {
        #expect(Flatten().configuration["data_format"] == nil)
        let first = try model(Conv1D(filters: 2, kernelSize: 1, dataFormat: .channelsFirst), input: [3, 5])
        let copy = try makeModel(first.architecture)
        #expect((copy.layers[0] as? Conv1D)?.dataFormat == .channelsFirst)
        #expect(try copy.outputShape == [2, 5])
        let last = try model(Conv1D(filters: 2, kernelSize: 1), input: [3, 5])
        #expect((try makeModel(last.architecture).layers[0] as? Conv1D)?.dataFormat == .channelsLast)
        let keras = replacing(
            .object(try last.architecture), at: ["config", "layers", "0", "config", "data_format"],
            with: .string("channels_last"))
        #expect(try read(keras).outputShape == [3, 2])
    }

    @Test(arguments: [
        Initializer.zeros, .ones, .constant(3), .randomUniform(min: 0, max: 2),
        .randomNormal(mean: 1, stddev: 2),
        .truncatedNormal(), .glorotUniform, .glorotNormal, .heUniform, .heNormal, .lecunUniform, .lecunNormal,
        .varianceScaling(scale: 3, mode: .fanOut, distribution: .untruncatedNormal), .orthogonal(gain: 0.5),
        .identity(gain: 2),
    ])
    func roundTripOfInitializers(initializer: Initializer) throws {
        let model = try model(Dense(units: 2, kernelInitializer: initializer), input: [3])
        let copy = try makeModel(model.architecture)
        #expect((copy.layers[0] as? Dense)?.kernel.initializer == initializer)
    }

    @Test func kerasKeys() throws {
        let configuration = Conv2D(filters: 8, kernelSize: 3, activation: .swish).configuration
        #expect(
            configuration == [
                "filters": .integer(8), "kernel_size": [.integer(3), .integer(3)],
                "strides": [.integer(1), .integer(1)], "padding": .string("valid"),
                "dilation_rate": [.integer(1), .integer(1)], "groups": .integer(1),
                "activation": .string("silu"),
                "use_bias": .bool(true),
                "kernel_initializer": ["class_name": .string("GlorotUniform"), "config": [:]],
                "bias_initializer": ["class_name": .string("Zeros"), "config": [:]],
            ])
        #expect(MaxPooling2D(poolSize: [3, 2]).configuration["strides"] == [.integer(3), .integer(2)])
    }

    @Test func withoutInputShapeItStaysOpen() throws {
        let copy = try makeModel(Sequential { Dense(units: 2) }.architecture)
        #expect(throws: ShapeError.self) { try copy.inputShape }
        #expect(try Sequential(input: [3]) { copy }.outputShape == [2])
    }

    /// Every value of the configuration of every layer is replaced by values of other types or out of range,
    /// left out, or joined by a key nobody knows. The result may be a model or an error, but never a trap; a
    /// value of another type and a missing or additional key must be errors.
    @Test func hostileConfigurations() async throws {
        #expect(try expectErrors(of: Self.everything().architecture) > 300)
        for row in ContractCase.all { _ = try expectErrors(of: await row.model().architecture) }
    }

    /// How many variants were tried.
    private func expectErrors(of architecture: Configuration) throws -> Int {
        let good = ConfigurationValue.object(architecture)
        var count = 0
        for path in paths(of: good) {
            let original = try #require(value(good, at: path))
            let missing = replacing(good, at: path, with: nil)
            // Where the channels are, penalties and rules may be left unsaid.
            let key = path.last ?? ""
            if key != "data_format", !key.hasSuffix("_regularizer"), !key.hasSuffix("_constraint") {
                #expect(throws: ConfigurationError.self, "without \(path)") { try read(missing) }
            }
            for other in replacements where kind(of: other) != kind(of: original) {
                // These may also be null; a number may be an integer.
                if ["name", "build_input_shape", "output_padding"].contains(key), other == .null { continue }
                let layer = value(good, at: path.dropLast(2) + ["class_name"])
                let mayBeNoNumber =
                    key == "max_value" || (key == "fill_value" && layer == .string("RandomErasing"))
                // Numbers of each channel.
                if layer == .string("Rescaling"), key == "scale" || key == "offset", case .list = other {
                    continue
                }
                if mayBeNoNumber, other == .null || [2, 3].contains(kind(of: other)) { continue }
                if case (.number, .integer) = (original, other) { continue }
                let broken = replacing(good, at: path, with: other)
                #expect(throws: ConfigurationError.self, "\(path): \(other)") { try read(broken) }
                count += 1
            }
            if case .object(var members) = original, path.last != "layers" {
                members["surprise"] = .null
                let more = replacing(good, at: path, with: .object(members))
                #expect(throws: ConfigurationError.self, "more in \(path)") { try read(more) }
            }
            if case .integer = original {
                for size in [-1, 0, 1_000_000_000_000_000_000, Int.max, Int.min] {
                    // Whether it is one of the few places where such a number makes sense is tested
                    // elsewhere.
                    _ = try? read(replacing(good, at: path, with: .integer(size)))
                }
            }
        }
        return count
    }

    private let replacements: [ConfigurationValue] = [
        .null, .bool(true), .integer(2), .number(0.5), .string("x"), [], [.null, .null], [.integer(1)],
        ["a": .null],
    ]

    private func read(_ value: ConfigurationValue) throws -> any ModelProtocol {
        guard case .object(let configuration) = value else {
            throw ConfigurationError(owner: "test", "not an object")
        }
        return try makeModel(configuration)
    }

    @Test(arguments: [
        (
            ["config", "layers", "0", "config", "filters"],
            ConfigurationValue.integer(1_000_000_000_000_000_000),
            "all/conv2d"
        ),
        (["config", "layers", "0", "config", "groups"], .integer(0), "all/conv2d"),
        (["config", "layers", "0", "config", "strides", "0"], .integer(0), "all/conv2d"),
        (
            ["config", "layers", "6", "config", "layers", "1", "config", "units"], .integer(-5),
            "all/block/dense"
        ),
        (["config", "layers", "7", "config", "rate"], .integer(1), "all/dropout"),
        (["config", "build_input_shape", "1"], .integer(1_000_000_000_000_000_000), "all"),
    ])
    func absurdSizes(path: [String], value: ConfigurationValue, place: String) throws {
        let broken = replacing(.object(try Self.everything().architecture), at: path, with: value)
        let error = #expect(throws: ShapeError.self) { try read(broken) }
        #expect(error?.path.joined(separator: "/") == place)
    }

    @Test func messagesSayWhereAndWhat() throws {
        let good = ConfigurationValue.object(try Self.everything().architecture)
        func message(_ path: [String], _ value: ConfigurationValue?) -> String? {
            #expect(throws: ConfigurationError.self) { try read(replacing(good, at: path, with: value)) }?
                .description
        }
        let first = ["config", "layers", "0", "config"]
        #expect(
            message(first + ["filters"], .string("six"))
                == "all/layers[0]: Conv2D, key 'filters': expected an integer, not 'six'")
        #expect(
            message(first + ["filters"], nil)?.hasSuffix("key 'filters': it is missing; expected an integer")
                == true)
        #expect(message(first + ["padding"], .string("sane"))?.hasSuffix("did you mean 'same'?") == true)
        #expect(
            message(first + ["filtres"], .integer(3))?.contains("unknown key 'filtres'; did you mean") == true
        )
        #expect(
            message(["config", "layers", "5", "class_name"], .string("MaxPoolng2D"))
                == "all/layers[5]: MaxPoolng2D, key 'class_name': unknown layer 'MaxPoolng2D'; did you mean "
                + "'MaxPooling2D'?")
        #expect(
            message(["config", "layers", "5", "class_name"], .string(String(repeating: "y", count: 5000)))?
                .count
                ?? .max < 1500)
        #expect(
            message(
                [
                    "config", "layers", "6", "config", "layers", "1", "config", "kernel_initializer",
                    "config", "minval",
                ],
                .null)
                == "all/layers[6]/block/layers[1]/kernel_initializer: RandomUniform, key 'minval': "
                + "expected a number, not null")
    }

    /// The JSON decoder lets 512 levels through; each model takes three.
    @Test func deepNesting() throws {
        var model = Sequential { Flatten() }
        for _ in 0..<170 {
            let inner = model
            model = Sequential { inner }
        }
        let copy = try makeModel(Sequential(input: [3]) { model }.architecture)
        #expect(try copy.outputShape == [3])

        let brackets = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(ConfigurationValue.self, from: Data(brackets.utf8))
        }
    }

    @Test func layersOfTheUser() async throws {
        let model = try model(Doubling(factor: 3), input: [2])
        #expect(model.namedLayers[0].name == "doubling")
        let error = #expect(throws: ConfigurationError.self) {
            try makeModel(model.architecture)
        }
        #expect(error?.key == "class_name")
        let copy = try makeModel(model.architecture, layerTypes: builtInLayers + [Doubling.self])
        #expect(try await outputs(of: copy, for: TensorValue(shape: [1, 2], [1, 2])).floats == [3, 6])
    }
}

/// A layer from outside the library.
private final class Doubling: UnaryLayer {
    static let typeName = "Doubling"
    let name: String?
    let factor: Double

    init(factor: Double, name: String? = nil) {
        self.factor = factor
        self.name = name
    }

    convenience init(name: String?, configuration: inout ConfigurationReader) throws(ConfigurationError) {
        self.init(factor: try configuration.number("factor"), name: name)
    }

    var configuration: Configuration { ["factor": .number(factor)] }
    func call(_ x: Tensor) throws(ShapeError) -> Tensor { try x * Float(factor) }
}

// MARK: - Editing configurations

/// Where values are: keys of objects, positions in lists that hold objects.
private func paths(of value: ConfigurationValue) -> [[String]] {
    switch value {
    case .object(let members):
        members.flatMap { key, member in [[key]] + paths(of: member).map { [key] + $0 } }
    case .list(let elements):
        elements.enumerated().flatMap { index, element -> [[String]] in
            guard case .object = element else { return [] }
            return paths(of: element).map { ["\(index)"] + $0 }
        }
    default: []
    }
}

private func value(_ value: ConfigurationValue, at path: [String]) -> ConfigurationValue? {
    guard let key = path.first else { return value }
    let child: ConfigurationValue? =
        switch value {
        case .object(let members): members[key]
        case .list(let elements): Int(key).map { elements[$0] }
        default: nil
        }
    return child.flatMap { FoveaLayersTests.value($0, at: Array(path.dropFirst())) }
}

private func replacing(
    _ value: ConfigurationValue, at path: [String], with new: ConfigurationValue?
) -> ConfigurationValue {
    guard let key = path.first else { return new ?? .null }
    switch value {
    case .object(var members):
        members[key] =
            path.count == 1
            ? new : members[key].map { replacing($0, at: Array(path.dropFirst()), with: new) }
        return .object(members)
    case .list(var elements):
        guard let index = Int(key) else { return value }
        elements[index] = replacing(elements[index], at: Array(path.dropFirst()), with: new)
        return .list(elements)
    default: return value
    }
}

private func kind(of value: ConfigurationValue) -> Int {
    switch value {
    case .null: 0
    case .bool: 1
    case .integer: 2
    case .number: 3
    case .string: 4
    case .list: 5
    case .object: 6
    }
}
