import Foundation
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaSaving

/// Files of Keras that are damaged or ask for what Fovea does not do.
@Suite struct KerasHostileTests {
    private func read(_ json: String) throws -> Configuration {
        var reader = KerasReader(customLayers: [], isKeras2: false)
        return try reader.model(Configuration(json: Array(json.utf8), what: "model", file: "a.keras"))
    }

    private static func sequential(_ layers: String) -> String {
        """
        {"class_name": "Sequential", "config": {"name": "net", "layers": [
        {"class_name": "InputLayer", "config": {"batch_shape": [null, 8, 8, 3], "name": "in"}}, \(layers)]}}
        """
    }

    private static func activated(_ activation: String) -> String {
        #"{"class_name": "Dense", "config": {"name": "d", "units": 3, "activation": \#(activation)}}"#
    }

    private static func graph(_ layers: String, outputs: String = "[[\"b\", 0, 0]]") -> String {
        """
        {"class_name": "Functional", "config": {"name": "net", "layers": [
        {"class_name": "InputLayer", "config": {"batch_shape": [null, 4], "name": "in"}, "name": "in", "inbound_nodes": []},
        \(layers)], "input_layers": [["in", 0, 0]], "output_layers": \(outputs)}}
        """
    }

    private static func layer(_ name: String, from nodes: String, _ kind: String = "Activation") -> String {
        """
        {"class_name": "\(kind)", "config": {"name": "\(name)", "activation": "relu"}, "name": "\(name)",
        "inbound_nodes": \(nodes)}
        """
    }

    private static let refused: [(String, String)] = [
        (
            sequential(
                #"{"class_name": "Lambda", "config": {"name": "code", "function": ["4wEA", null, null]}}"#),
            "code: Lambda: it holds Python code"
        ),
        (
            sequential(#"{"class_name": "LSTM", "config": {"name": "seq"}}"#),
            "seq: LSTM: Fovea has no such layer"
        ),
        (
            sequential(
                #"{"class_name": "Dense", "module": "mine.layers", "config": {"name": "d", "units": 3}}"#),
            "it is none of Keras's layers"
        ),
        (
            sequential(#"{"class_name": "Dense", "config": {"name": "d"}}"#),
            "d: Dense, key 'units': it is missing"
        ),
        (
            sequential(#"{"class_name": "Dense", "config": {"name": "d", "units": 3, "extra": 1}}"#),
            "key 'extra': Fovea's layer has nothing like it"
        ),
        (
            sequential(
                #"{"class_name": "Dense", "config": {"name": "d", "units": 3, "activation": "sparsemax"}}"#),
            "no activation function"
        ),
        (
            sequential(#"{"class_name": "Dense", "config": {"name": "d", "units": 3, "dtype": "float64"}}"#),
            "float32 parameters"
        ),
        (
            #"{"class_name": "Sequential", "config": {"layers": [{"class_name": "InputLayer", "config": "#
                + #"{"batch_shape": [null, null, -4, 3]}}]}}"#,
            "expected positive extents or None, not (None, -4, 3)"
        ),
        (
            sequential(activated(#"{"class_name": "PReLU", "config": {"name": "p"}}"#)),
            "the layer PReLU has weights"
        ),
        (
            sequential(activated(#"{"class_name": "ReLU", "module": "mine", "config": {}}"#)),
            "it is none of Keras's layers"
        ),
        (
            sequential(activated(#"{"class_name": "LeakyReLU", "config": {"slope": 1}}"#)),
            "key 'slope': Fovea's layer has nothing like it"
        ),
        (sequential(activated(#"{"class_name": "Dense", "config": {}}"#)), "no activation function"),
        (sequential(activated("{}")), "no activation function"),
        (#"{"class_name": "MyModel", "config": {}}"#, "expected a model"),
        (#"{"class_name": "Sequential"}"#, "key 'layers': it is missing"),
        (
            graph(
                layer("a", from: #"[[["b", 0, 0, {}]]]"#) + "," + layer("b", from: #"[[["a", 0, 0, {}]]]"#)),
            "no cycles"
        ),
        (graph(layer("b", from: #"[[["b", 0, 0, {}]]]"#)), "no cycles"),
        (graph(layer("b", from: #"[[["gone", 0, 0, {}]]]"#)), "does not exist"),
        (graph(layer("b", from: #"[[["in", 3, 0, {}]]]"#)), "call 3 of \"in\", which does not exist"),
        (graph(layer("b", from: #"[[["in", 9223372036854775807, 0, {}]]]"#)), "in"),
        (graph(layer("b", from: #"[[["in", -1, 0, {}]]]"#)), "expected the output of a layer"),
        (graph(layer("b", from: #"[[["in", 0, 0, {"training": true}]]]"#)), "training=True"),
        (graph(layer("b", from: #"[[["in", 0, 0, {"scale": 2}]]]"#)), "called with"),
        (graph(layer("b", from: #"[{"args": [2.5], "kwargs": {}}]"#)), "no output of a layer"),
        (
            graph(
                layer("b", from: #"[[["in", 0, 0, {}]]]"#) + "," + layer("b", from: #"[[["in", 0, 0, {}]]]"#)),
            "two layers are named"
        ),
        (graph(layer("b", from: "7")), "inbound_nodes"),
        (graph(layer("b", from: "[7, {}, []]"), outputs: "[]"), "output"),
    ]

    @Test(arguments: refused) func isRefused(json: String, reason: String) throws {
        do throws(any Error) {
            _ = try read(json)
            Issue.record("it was read: \(json)")
        } catch {
            #expect("\(error)".contains(reason), "\(error)")
        }
    }

    /// Keras 3 writes the mode that a layer takes by itself, and calls it in the model's.
    @Test func modesOfCalls() throws {
        let tensor =
            ##"{"class_name": "__keras_tensor__", "config": {"shape": [null, 4], "keras_history": ["in", 0, 0]}}"##
        let json = Self.graph(
            Self.layer("b", from: #"[{"args": [\#(tensor)], "kwargs": {"training": true}}]"#))
        var reader = KerasReader(customLayers: [], isKeras2: false)
        let config = try Configuration(json: Array(json.utf8), what: "model", file: "a")
        #expect(throws: Never.self) { try reader.model(config) }
        #expect(reader.warnings == [])
    }

    /// Where a layer as activation is one of Fovea's functions, it becomes that.
    @Test(arguments: [
        (#"{"class_name": "ReLU", "config": {"name": "r"}}"#, "relu"),
        (#"{"class_name": "ReLU", "config": {"max_value": 6.0, "negative_slope": 0.0}}"#, "relu6"),
        (#"{"class_name": "LeakyReLU", "config": {"alpha": 0.20000000298023224}}"#, "leaky_relu"),
        (#"{"class_name": "ELU", "config": {"alpha": 1.0}}"#, "elu"),
        (#"{"class_name": "Softmax", "config": {"axis": -1}}"#, "softmax"),
        (#"{"class_name": "Activation", "config": {"activation": "swish"}}"#, "silu"),
        (#"{"class_name": "function", "config": "tanh"}"#, "tanh"), ("null", "linear"),
        (#"{"class_name": "LeakyReLU", "config": {}}"#, "linear"),
    ]) func activationsThatAreLayers(json: String, function: String) throws {
        var reader = KerasReader(customLayers: [], isKeras2: false)
        let text = Self.sequential(Self.activated(json))
        let model = try reader.model(Configuration(json: Array(text.utf8), what: "model", file: "a"))
        let layer = model["config"]?.members?["layers"]?.elements?.first?.members
        #expect(layer?["config"]?.members?["activation"] == .string(function))
        #expect(reader.activations.isEmpty == (json != #"{"class_name": "LeakyReLU", "config": {}}"#))
    }

    /// Numbers of batches in which no training can have ended.
    @Test(arguments: [Float.nan, .infinity, 1e30, -1, 0.5]) func countsOfBatches(count: Float) throws {
        func memory(_ count: Float) throws -> OptimizerMemory? {
            var root = HDF5Group()
            for (number, value) in [count, 0.1].enumerated() {
                let tensor = StoredTensor(
                    name: "\(number)", value: TensorValue(repeating: value, shape: .scalar))
                root.insert(.dataset(HDF5Dataset(tensor: tensor)), at: "optimizer/vars/\(number)")
            }
            return try OptimizerMemory(
                keras: root, training: TrainingConfiguration(optimizer: .sgd(), outputs: [:]), trained: [],
                file: "a.keras")
        }
        #expect(try memory(3)?.iterations == 3)
        #expect(try memory(count) == nil)
    }

    @Test func modelsNestedWithoutEnd() throws {
        var json = Self.sequential(#"{"class_name": "Flatten", "config": {"name": "f"}}"#)
        for _ in 0..<200 { json = Self.sequential(json) }
        #expect(throws: ModelFileError.self) { try read(json) }
    }

    /// What Keras 2 calls hard_sigmoid is another function.
    @Test func functionsThatChanged() throws {
        let json = Self.sequential(
            #"{"class_name": "Activation", "config": {"name": "a", "activation": "hard_sigmoid"}}"#)
        var reader = KerasReader(customLayers: [], isKeras2: true)
        let config = try Configuration(json: Array(json.utf8), what: "model", file: "a")
        #expect(throws: ConfigurationError.self) { try reader.model(config) }
        #expect(throws: Never.self) { try read(json) }
    }

    /// Whatever cannot be trained as in Keras is said, and the model is there.
    @Test func trainingThatFoveaLacks() {
        let cases: [(String, Bool, String)] = [
            (#"{"optimizer": "ftrl", "loss": "mse"}"#, false, "its optimizer"),
            (#"{"optimizer": "sgd", "loss": "ctc"}"#, false, "its loss"),
            (#"{"optimizer": "sgd", "loss": "mse", "metrics": ["mine", "mae"]}"#, true, "its metric"),
            (
                #"{"optimizer": {"class_name": "Adam", "config": {"learning_rate": {"class_name": "Mine", "config": {}}}}, "#
                    + #""loss": "mse"}"#, true, "no schedule"
            ),
            (
                #"{"optimizer": {"class_name": "Adam", "config": {"beta_1": 7}}, "loss": "mse"}"#, false,
                "beta1"
            ),
            (#"{"optimizer": {"class_name": "SGD", "config": {"mine": 7}}, "loss": "mse"}"#, true, "'mine'"),
        ]
        for (json, isTrained, warning) in cases {
            var reader = KerasCompileReader(customTypes: CustomTypes())
            let config = try? Configuration(json: Array(json.utf8), what: "training", file: "a")
            let training = reader.training(config ?? [:], outputs: ["out"])
            #expect((training != nil) == isTrained, "\(json)")
            let text = reader.warnings.joined(separator: "; ").replacing("\"", with: "'")
            #expect(text.contains(warning), "\(json): \(reader.warnings)")
        }
    }

    @Test(arguments: ["graph3.keras", "sequential3.h5", "graph2.h5", "training_averaged.keras"])
    func damagedFiles(name: String) async throws {
        let bytes = try KerasGolden.bytes(name)
        await Compute.run {
            @Compute func attempt(_ bytes: [UInt8]) {
                guard let contents = try? KerasContents(bytes, file: name) else { return }
                _ = try? SavedModel(contents, customTypes: CustomTypes())
            }
            for count in stride(from: 0, to: bytes.count, by: max(1, bytes.count / 60)) {
                attempt(Array(bytes[..<count]))
            }
            var random = SplitMix(state: 7)
            for _ in 0..<60 {
                var damaged = bytes
                for _ in 0..<Int.random(in: 1...8, using: &random) {
                    damaged[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
                attempt(damaged)
            }
        }
    }
}
