import Foundation
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// `(p - t)⁴ · scale`.
struct QuarticError: Loss {
    static let name = "quartic_error"
    var scale = 1.0

    func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let error = try predictions - targets.aligned(with: predictions, for: name)
        let square = try error * error
        return try (square * square * Float(scale)).meanPerExample()
    }
}

/// The share of outputs that are no further than a margin from their target.
struct WithinMargin: Metric {
    static let name = "within_margin"
    var margin = 1.0
    var isStrict = false

    func sums(_ batch: MetricInputs) throws -> Tensor {
        let distance = try (batch.predictions - batch.alignedTargets).unary(.abs)
        return try batch.mean(.compare(isStrict ? .less : .lessEqual, distance, .constant(Float(margin))))
    }
}

/// Steps of one size.
struct SignDescent: Optimizer {
    static let name = "sign_descent"
    var learningRate = 0.125
    var weightDecay: Double?

    init(learningRate: Double, weightDecay: Double? = nil) {
        self.learningRate = learningRate
        self.weightDecay = weightDecay
    }

    init() {}

    var slots: [OptimizerSlot] { [] }

    func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs {
        let sign = try inputs.gradient.greater(0).cast(to: .float32) * 2 - 1
        return OptimizerOutputs(value: try inputs.value - inputs.learningRate * sign)
    }

    func checkSettings() throws {}
}

/// How losses, metrics and optimizers are written and read by their names, those of a program's own as well.
struct NamedInFilesTests {
    private func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private func read<Value: Decodable>(
        _ type: Value.Type, _ text: String, _ customTypes: CustomTypes = CustomTypes()
    ) throws -> Value {
        let decoder = JSONDecoder()
        decoder.customTypes = customTypes
        return try decoder.decode(type, from: Data(text.utf8))
    }

    // MARK: Fovea's own

    private struct Earlier: Codable {
        let losses: [CodableLoss]
        let metrics: [CodableMetric]
        let names: [String]
    }

    /// The file was written when losses and metrics were enumerations. Checkpoints compare these texts.
    @Test func earlierFilesAreReadAndWrittenTheSame() throws {
        let url = try #require(
            Bundle.module.url(
                forResource: "earlier_losses_and_metrics", withExtension: "json", subdirectory: "Golden"))
        let text = try String(contentsOf: url, encoding: .utf8).trimmingCharacters(in: .newlines)
        let earlier = try read(Earlier.self, text)
        #expect(try json(earlier) == text)
        #expect(earlier.metrics.map(\.metric.name) == earlier.names)
        #expect(earlier.losses.count == 22 && earlier.metrics.count == 57)
    }

    @Test func everyLossComesBack() throws {
        let losses =
            builtInLosses.map { CodableLoss($0.init()) } + [
                CodableLoss(.huber(delta: 0.5)), CodableLoss(.binaryFocalCrossentropy(gamma: 0)),
            ]
        #expect(Set(losses).count == losses.count)
        #expect(try read([CodableLoss].self, json(losses)) == losses)
    }

    @Test func everyMetricComesBack() throws {
        let others: [any Metric] = [
            .recall(threshold: 0.25), .auc(thresholds: 20), .loss(.huber(delta: 0.5)),
        ]
        let metrics = (usualMetrics + others).map { CodableMetric($0) }
        #expect(try read([CodableMetric].self, json(metrics)) == metrics)
        #expect(try json([CodableMetric(.accuracy)]) == #"["accuracy"]"#)
    }

    @Test func lossesOfBeforeLabelSmoothingAreRead() throws {
        let text = #"[{"sparseCategoricalCrossentropy":{"fromLogits":true}},{"meanSquaredError":{}}]"#
        let losses = try read([CodableLoss].self, text).map(\.loss)
        #expect(losses[0] as? SparseCategoricalCrossentropy == .init(fromLogits: true))
        #expect(losses[1] is MeanSquaredError)
    }

    @Test func namesAreUnique() {
        for names in [
            builtInLosses.map { $0.name }, builtInMetrics.map { $0.name }, builtInOptimizers.map { $0.name },
            usualMetrics.map(\.kind), builtInLosses.map { camelCased($0.name) },
        ] {
            #expect(Set(names).count == names.count)
        }
    }

    @Test(
        arguments: [
            #""acuracy""#, #"{"name":"acuracy"}"#, #"{"name":"auc","curve":"pr"}"#, #"{"name":"huber"}"#, "3",
            #"{"name":"precision","average":"none"}"#, "{}", #"{"name":"binary_accuracy","threshold":"x"}"#,
            #""loss""#, #"{"name":"huber","loss":{}}"#,
            #"{"name":"huber","loss":{"huber":{"delta":1},"hinge":{}}}"#,
            #"{"name":"huber","loss":{"huber":{}}}"#, "null",
        ])
    func damagedMetrics(_ text: String) throws {
        let error = try #require(throws: DecodingError.self) {
            try read([CodableMetric].self, "[\(text)]")
        }
        if text.contains("acuracy") { #expect("\(error)".contains("did you mean 'accuracy'?")) }
    }

    @Test(arguments: [
        "{}", "[]", "3", #"{"hubre":{"delta":1}}"#, #"{"huber":{"delta":1},"hinge":{}}"#, #"{"":{}}"#,
    ])
    func damagedLosses(_ text: String) throws {
        let error = try #require(throws: DecodingError.self) { try read([CodableLoss].self, "[\(text)]") }
        if text.contains("hubre") { #expect("\(error)".contains("did you mean 'huber'?")) }
    }

    // MARK: A program's own

    private let own = CustomTypes(
        optimizers: [SignDescent.self], losses: [QuarticError.self], metrics: [WithinMargin.self])
    private let configuration = TrainingConfiguration(
        optimizer: SignDescent(learningRate: 0.25),
        outputs: [
            "dense": OutputTraining(
                loss: QuarticError(scale: 0.5),
                metrics: [
                    WithinMargin(), WithinMargin(margin: 0.25), .loss(QuarticError()),
                    .loss(QuarticError(scale: 0.5)),
                    WithinMargin(), WithinMargin(isStrict: true),
                ])
        ])

    @Test func ownTypesComeBack() throws {
        let text = try json(configuration)
        #expect(text.contains(#""optimizer":{"name":"sign_descent","settings":{"learningRate":0.25}}"#))
        #expect(text.contains(#""loss":{"quarticError":{"scale":0.5}}"#))
        #expect(
            text.contains(
                #"["within_margin",{"isStrict":false,"margin":0.25,"name":"within_margin"},"quartic_error",{"#
            ))
        for types in [own, CustomTypes(of: configuration)] {
            let back = try read(TrainingConfiguration.self, text, types)
            #expect(back.outputs == configuration.outputs)
            #expect(back.optimizer as? SignDescent == SignDescent(learningRate: 0.25))
        }
        #expect(
            configuration.outputs["dense"]?.metrics.map(\.name) == [
                "within_margin", "within_margin_margin_0.25", "quartic_error", "quartic_error_scale_0.5",
                "within_margin_is_strict",
            ])
    }

    @Test func ownTypesMustBeNamed() throws {
        let text = try json(configuration)
        let lacking = [
            ("optimizer 'sign_descent'", CustomTypes(losses: own.losses, metrics: own.metrics)),
            ("loss 'quarticError'", CustomTypes(optimizers: own.optimizers, metrics: own.metrics)),
            ("metric 'within_margin'", CustomTypes(optimizers: own.optimizers, losses: own.losses)),
        ]
        for (missing, types) in lacking {
            let error = try #require(throws: DecodingError.self) {
                try read(TrainingConfiguration.self, text, types)
            }
            #expect("\(error)".contains("there is no \(missing)") && "\(error)".contains("customTypes"))
        }
    }

    /// `Huber` under another definition.
    private struct OwnHuber: Loss {
        static let name = "huber"
        var delta = 1.0
        func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor { targets }
    }

    @Test func ownTypesComeBeforeFoveas() throws {
        let text = #"{"huber":{"delta":2}}"#
        let loss = try read(CodableLoss.self, text, CustomTypes(losses: [OwnHuber.self])).loss
        #expect(loss as? OwnHuber == OwnHuber(delta: 2))
        #expect(try read(CodableLoss.self, text).loss as? Huber == Huber(delta: 2))
        #expect(CodableLoss(loss) != CodableLoss(Huber(delta: 2)))
    }

    @Test func ownTypesTrain() async throws {
        let model = try Sequential(input: [6, 5, 1]) {
            Flatten()
            Dense(units: 1)
        }
        let data = try bars(8)
        let trainer = try model.compile(
            optimizer: SignDescent(learningRate: 0.01), loss: QuarticError(),
            metrics: [WithinMargin(margin: 0.5), .loss(QuarticError())], device: .reference)
        let history = try await trainer.fit(data, epochs: 3, verbosity: .silent)
        #expect(history.epochs[2].loss < history.epochs[0].loss)
        #expect(
            Set(history.epochs[0].metrics.keys) == ["within_margin_margin_0.5", "quartic_error"])
        #expect(history.epochs[1].metrics["quartic_error"] == history.epochs[1].loss)
    }
}
