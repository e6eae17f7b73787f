import Foundation
import FoveaFiles
import FoveaLayers
import FoveaTraining

/// Reads what `compile` was given in Keras: optimizer, losses, metrics. What Fovea cannot express is left out with a warning.
struct KerasCompileReader {
    let customTypes: CustomTypes
    private(set) var warnings: [String] = []

    init(customTypes: CustomTypes) { self.customTypes = customTypes }

    /// The training of a model.
    ///
    /// - Parameters:
    ///   - config: `compile_config` of Keras 3 or `training_config` of Keras 2.
    ///   - outputs: the names of the model's outputs.
    /// - Returns: nil when nothing can be trained with what there is.
    mutating func training(_ config: Configuration, outputs: [String]) -> TrainingConfiguration? {
        let optimizer = config["optimizer"] ?? config["optimizer_config"] ?? .null
        guard !optimizer.isNull, var training = training(optimizer: optimizer) else { return nil }
        let losses = perOutput(config["loss"] ?? .null, outputs, spread: true)
        let weights = perOutput(config["loss_weights"] ?? .null, outputs, spread: false)
        let metrics = perOutput(config["metrics"] ?? .null, outputs, spread: true)
        let weighted = perOutput(config["weighted_metrics"] ?? .null, outputs, spread: true)
        for (index, name) in outputs.enumerated() {
            let loss = losses[index].isNull ? nil : loss(losses[index])
            let all = [metrics[index], weighted[index]].flatMap { Self.flat($0) }.compactMap { metric($0) }
            guard loss != nil || !all.isEmpty else { continue }
            training.outputs[name] = OutputTraining(
                loss: loss, weight: weights[index].double ?? 1, metrics: all)
        }
        guard training.outputs.values.contains(where: { $0.loss != nil }) else {
            warn("it was compiled without a loss that Fovea has, so its training is left out")
            return nil
        }
        // Reading it as from a file of Fovea's checks every setting.
        do {
            let decoder = JSONDecoder()
            decoder.customTypes = customTypes
            return try decoder.decode(TrainingConfiguration.self, from: JSONEncoder().encode(training))
        } catch {
            warn("its training is left out: \(reason(error))")
            return nil
        }
    }

    private mutating func warn(_ message: String) {
        if warnings.count < 20, !warnings.contains(message) { warnings.append(message) }
    }

    // MARK: Outputs

    /// What is asked of each output.
    ///
    /// - Parameter spread: whether one value, or a list of plain ones, is for every output.
    private func perOutput(
        _ value: ConfigurationValue, _ outputs: [String], spread: Bool
    ) -> [ConfigurationValue] {
        let none = [ConfigurationValue](repeating: .null, count: outputs.count)
        switch value {
        case .null: return none
        case .object(let members) where members["class_name"] == nil:
            return outputs.map { members[$0] ?? .null }
        case .list(let elements):
            if outputs.count == 1 {
                return [elements.count == 1 ? elements[0] : spread ? value : elements.first ?? .null]
            }
            let isOfOutputs =
                elements.count == outputs.count
                && (!spread || elements.contains { $0.elements != nil || $0.isNull }
                    || !Self.isMetrics(value))
            return isOfOutputs ? elements : spread ? none.map { _ in value } : none
        default: return none.map { _ in value }
        }
    }

    /// Whether a list is of metrics for one output and not of what each output has.
    private static func isMetrics(_ value: ConfigurationValue) -> Bool {
        (value.elements ?? []).contains { element in
            guard let object = KerasObject(element) else { return false }
            let names = ["accuracy", "acc", "auc", "precision", "recall", "meanmetricwrapper"]
            return names.contains { plainName(object.className).contains($0) }
        }
    }

    private static func flat(_ value: ConfigurationValue) -> [ConfigurationValue] {
        switch value {
        case .null: []
        case .list(let elements): elements.flatMap(flat)
        default: [value]
        }
    }

    // MARK: Losses and metrics

    /// Names that Keras has beside those of the classes.
    private static let aliases = [
        "mse": "meansquarederror", "mae": "meanabsoluteerror", "mape": "meanabsolutepercentageerror",
        "msle": "meansquaredlogarithmicerror", "bce": "binarycrossentropy", "kld": "kldivergence",
        "kullbackleiblerdivergence": "kldivergence", "acc": "accuracy", "huberloss": "huber",
        "logcosherror": "logcosh", "meaniou": "iou",
    ]

    /// The function or class that is named, and its settings.
    private static func object(_ value: ConfigurationValue) -> (name: String, settings: Configuration)? {
        guard var object = KerasObject(value) else { return nil }
        // A function that was given itself, and classes that wrap one.
        for key in ["fn", "function"] {
            let isWrapper = ["MeanMetricWrapper", "LossFunctionWrapper", "function"].contains(
                object.className)
            if isWrapper, let inner = object.settings[key].flatMap({ KerasObject($0) }) {
                let own = object.settings.filter { $0.key != key }
                // Of several meanings one was chosen by shapes that may not have been known.
                let name = own["name"]?.text ?? ""
                if name == "acc" || name.hasSuffix("accuracy"), !name.hasSuffix(inner.className) {
                    return ("accuracy", [:])
                }
                return (plain(inner.className), own)
            }
        }
        if object.className == "function",
            let name = value.members?["config"]?.text.flatMap({
                KerasObject(.string($0))
            })
        {
            object = name
        }
        return (plain(object.className), object.settings)
    }

    private static func plain(_ name: String) -> String {
        let name = plainName(String(name.split(separator: ">").last ?? ""))
        return aliases[name] ?? name
    }

    private static let lossSettings = KerasSettings(ignored: [
        "name": [], "dtype": [], "fn": [], "axis": [.integer(-1)],
        "reduction": ["sum_over_batch_size", "auto", "mean"],
    ])

    mutating func loss(_ value: ConfigurationValue) -> (any Loss)? {
        guard let (name, settings) = Self.object(value),
            let type = (customTypes.losses + builtInLosses).first(where: { plainName($0.name) == name })
        else {
            warn("its loss \(value.shown) is none that Fovea has and is left out")
            return nil
        }
        return made(type.init(), settings, Self.lossSettings, "loss")
    }

    static let metricSettings = KerasSettings(
        renamed: [
            "num_thresholds": "thresholds", "thresholds": "threshold", "target_class_ids": "classes",
            "class_aggregation": "aggregation",
        ],
        ignored: [
            "name": [], "dtype": [], "fn": [], "axis": [.integer(-1)], "num_classes": [],
            "summation_method": ["interpolation"], "sparse_y_true": [], "sparse_y_pred": [],
            "num_regressors": [.integer(0)], "reduction": [], "from_logits": [],
        ])

    mutating func metric(_ value: ConfigurationValue) -> (any Metric)? {
        guard let (name, settings) = Self.object(value) else { return nil }
        if let type = (customTypes.metrics + builtInMetrics).first(where: { plainName($0.name) == name }) {
            var settings = settings
            if let curve = settings["curve"]?.text { settings["curve"] = .string(curve.lowercased()) }
            // A list of thresholds is one metric for each in Keras.
            if let only = settings["thresholds"]?.elements, only.count == 1 {
                settings["thresholds"] = only[0]
            }
            var rules = Self.metricSettings
            if settings["num_thresholds"] == nil, settings["thresholds"]?.elements == nil {
                rules.renamed["thresholds"] = "threshold"
            }
            return made(type.init(), settings, rules, "metric")
        }
        let type = (customTypes.losses + builtInLosses).first { plainName($0.name) == name }
        if let type { return made(type.init(), settings, Self.lossSettings, "metric").map { LossMetric($0) } }
        warn("its metric \(value.shown) is none that Fovea has and is left out")
        return nil
    }

    private mutating func made<Value: Codable>(
        _ usual: Value, _ settings: Configuration, _ rules: KerasSettings, _ kind: String
    ) -> Value? {
        let (changes, unknown) = rules.changes(to: usual, from: settings)
        for key in unknown {
            warn(
                "the setting \(quoted(key)) of its \(kind) \(Value.self) is left out: Fovea has none like it")
        }
        do { return try changed(usual, changes) } catch {
            warn("the settings of its \(kind) \(Value.self) are none of Fovea's; the usual ones are taken")
            return usual
        }
    }

    // MARK: Optimizers

    private static let optimizerSettings = KerasSettings(ignored: [
        "name": [], "jit_compile": [], "is_legacy_optimizer": [], "loss_scale_factor": [],
        "relative_step": [], "decay": [.integer(0), .number(0)], "ema_momentum": [],
        "learning_rate": [], "use_ema": [false],
    ])
    private static let common = [
        "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum", "ema_overwrite_frequency",
        "gradient_accumulation_steps", "decay",
    ]

    /// A training without outputs.
    private mutating func training(optimizer value: ConfigurationValue) -> TrainingConfiguration? {
        guard let object = KerasObject(value) else { return nil }
        let name = Self.plain(object.className)
        if name == "lossscaleoptimizer" {
            return training(optimizer: object.settings["inner_optimizer"] ?? .null)
        }
        let all = customTypes.optimizers + builtInOptimizers
        guard let type = all.first(where: { plainName($0.name) == name }) else {
            warn("its optimizer \(value.shown) is none that Fovea has, so its training is left out")
            return nil
        }
        var settings = object.settings
        let rate =
            settings.removeValue(forKey: "learning_rate") ?? settings.removeValue(forKey: "lr") ?? .null
        let shared = settings.filter { Self.common.contains($0.key) }
        settings = settings.filter { !Self.common.contains($0.key) }
        guard var optimizer = made(type.init(), settings, Self.optimizerSettings, "optimizer") else {
            return nil
        }
        var schedule = rate.members == nil ? nil : self.schedule(rate)
        if let number = rate.double { optimizer.learningRate = decimal(number) }
        if let schedule { optimizer.learningRate = schedule(step: 0) }
        if let decay = shared["decay"]?.double, decay > 0, schedule == nil {
            schedule = .inverseTimeDecay(
                initialLearningRate: optimizer.learningRate, decaySteps: 1, decayRate: decimal(decay))
        }
        var training = TrainingConfiguration(optimizer: optimizer, outputs: [:], schedule: schedule)
        func number(_ key: String) -> Double? { shared[key]?.double.map(decimal) }
        training.clipping =
            number("clipvalue").map { .value($0) } ?? number("clipnorm").map { .norm($0) }
            ?? number("global_clipnorm").map { .globalNorm($0) }
        if shared["use_ema"] == true {
            training.weightAveraging = WeightAveraging(
                momentum: number("ema_momentum") ?? 0.99,
                overwriteFrequency: shared["ema_overwrite_frequency"]?.integer)
        }
        training.accumulation = shared["gradient_accumulation_steps"]?.integer ?? 1
        if training.accumulation > 1, training.schedule != nil {
            warn(
                "its schedule counts batches in Keras and steps of \(training.accumulation) batches in Fovea")
        }
        return training
    }

    /// The schedules of both, Keras's class first.
    static let schedules = [
        ("ExponentialDecay", "exponentialDecay"), ("InverseTimeDecay", "inverseTimeDecay"),
        ("PolynomialDecay", "polynomialDecay"), ("CosineDecay", "cosineDecay"),
        ("CosineDecayRestarts", "cosineDecayRestarts"), ("PiecewiseConstantDecay", "piecewiseConstant"),
    ]

    private mutating func schedule(_ value: ConfigurationValue) -> LearningRateSchedule? {
        guard let object = KerasObject(value),
            let name = Self.schedules.first(where: { $0.0 == object.className })?.1
        else {
            warn(
                "its learning rate \(value.shown) is no schedule of Fovea's; the optimizer's usual rate is taken"
            )
            return nil
        }
        var settings: Configuration = [:]
        for (key, value) in object.settings where key != "name" && !value.isNull {
            // Numbers of steps may have been written with a fraction.
            let isCount = key.hasSuffix("steps") || key == "boundaries"
            settings[foveaKey(key)] =
                isCount
                ? value.integer.map { .integer($0) } ?? value.integers.map { .integers($0) } ?? value
                : value.double.map { .number(decimal($0)) } ?? value
        }
        do {
            let json = try JSONEncoder().encode([name: ConfigurationValue.object(settings)])
            let schedule = try JSONDecoder().decode(LearningRateSchedule.self, from: json)
            try schedule.checkSettings()
            return schedule
        } catch {
            warn("the settings of its schedule \(object.className) are none of Fovea's; it is left out")
            return nil
        }
    }
}
