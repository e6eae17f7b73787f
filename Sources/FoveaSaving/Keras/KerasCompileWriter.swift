import FoveaFiles
import FoveaLayers
import FoveaTraining

/// Writes what `compile` is to be given in Keras. What Keras cannot express is left out with a warning.
struct KerasCompileWriter {
    let dialect: KerasDialect
    private(set) var warnings: [String] = []

    init(_ dialect: KerasDialect) { self.dialect = dialect }

    /// `compile_config` of Keras 3 or `training_config` of Keras 2.
    ///
    /// - Returns: nil when Keras lacks the optimizer or every loss.
    mutating func config(
        _ training: TrainingConfiguration, outputs: [(name: String, classes: Int)]
    ) throws -> Configuration? {
        guard let optimizer = try optimizer(training) else { return nil }
        var losses: [ConfigurationValue] = []
        var metrics: [ConfigurationValue] = []
        var weights: [ConfigurationValue] = []
        for (name, classes) in outputs {
            let output = training.outputs[name]
            losses.append(try output?.loss.flatMap { try loss($0) } ?? .null)
            metrics.append(.list(try output?.metrics.compactMap { try metric($0, classes) } ?? []))
            weights.append(.number(output?.weight ?? 1))
        }
        guard losses.contains(where: { !$0.isNull }) else {
            warnings.append("Keras has none of its losses, so its training is left out")
            return nil
        }
        let isSingle = outputs.count == 1
        return [
            dialect == .keras3 ? "optimizer" : "optimizer_config": optimizer,
            "loss": isSingle ? losses[0] : .list(losses), "metrics": isSingle ? metrics[0] : .list(metrics),
            "loss_weights": weights.allSatisfy { $0 == .number(1) } ? .null : .list(weights),
            "weighted_metrics": .null,
        ]
    }

    private func object(_ className: String, _ module: String, _ config: Configuration) -> ConfigurationValue
    {
        var object: Configuration = ["class_name": .string(className), "config": .object(config)]
        if dialect == .keras3 {
            object["module"] = .string(module)
            object["registered_name"] = .null
        }
        return .object(object)
    }

    private mutating func isBuiltIn(_ value: Any, _ types: [ObjectIdentifier], _ kind: String) -> Bool {
        let type = type(of: value)
        if types.contains(ObjectIdentifier(type)) { return true }
        warnings.append("Keras has no \(kind) \(type), which is left out")
        return false
    }

    // MARK: Losses and metrics

    private mutating func loss(_ loss: any Loss) throws -> ConfigurationValue? {
        guard !(loss is NegativeLogLikelihood),
            isBuiltIn(loss, builtInLosses.map { ObjectIdentifier($0) }, "loss")
        else {
            if loss is NegativeLogLikelihood {
                warnings.append("Keras has no loss NegativeLogLikelihood, which is left out")
            }
            return nil
        }
        let config = try config(of: loss, KerasSettings(), "loss")
        let kind = type(of: loss)
        return config.isEmpty ? .string(kind.name) : object("\(kind)", "keras.losses", config)
    }

    private mutating func config(
        of value: any Loss, _ rules: KerasSettings, _ kind: String
    ) throws -> Configuration {
        func differing(_ value: some Loss) throws -> Configuration {
            try rules.config(of: value, unlike: type(of: value).init())
        }
        var config = try differing(value)
        if value is SparseCategoricalCrossentropy, config.removeValue(forKey: "label_smoothing") != nil {
            warnings.append("Keras has no label smoothing for class numbers; it is left out")
        }
        return config
    }

    private mutating func metric(_ metric: any Metric, _ classes: Int) throws -> ConfigurationValue? {
        if let ofLoss = metric as? LossMetric {
            return try loss(ofLoss.loss).flatMap { $0.text == nil ? object(ofLoss.loss, $0) : $0 }
        }
        guard isBuiltIn(metric, builtInMetrics.map { ObjectIdentifier($0) }, "metric") else { return nil }
        func differing(_ value: some Metric) throws -> Configuration {
            try KerasSettings().config(of: value, unlike: type(of: value).init())
        }
        var config = try differing(metric)
        let kind = type(of: metric)
        if config.isEmpty, kind.name.hasSuffix("accuracy"), !kind.name.contains("top_k") {
            return .string(kind.name)
        }
        let isOfThreshold =
            config["threshold"] != nil && !["F1Score", "FBetaScore"].contains(className(kind))
        if isOfThreshold, !(metric is BinaryAccuracyMetric), !(metric is BinaryIoUMetric) {
            config["thresholds"] = config.removeValue(forKey: "threshold")
        }
        if metric is AUCMetric || kind.name.contains("_at_") {
            if let count = config.removeValue(forKey: "thresholds") { config["num_thresholds"] = count }
            if let curve = config["curve"]?.text { config["curve"] = .string(curve.uppercased()) }
        }
        switch metric {
        case is PrecisionMetric, is RecallMetric:
            if config.removeValue(forKey: "average") != nil {
                warnings.append("Keras's \(className(kind)) has no average over classes; it is left out")
            }
        case is IoUMetric, is BinaryIoUMetric:
            if let chosen = config.removeValue(forKey: "classes") { config["target_class_ids"] = chosen }
            guard metric is IoUMetric else { break }
            config["num_classes"] = .integer(classes)
            config["sparse_y_pred"] = false
            let name = config["target_class_ids"] == nil ? "MeanIoU" : "IoU"
            return object(name, "keras.metrics", config)
        case is F1ScoreMetric, is FBetaScoreMetric: config["average"] = config["average"] ?? "macro"
        case is R2ScoreMetric:
            if let aggregation = config.removeValue(forKey: "aggregation") {
                config["class_aggregation"] = aggregation
            }
        default: break
        }
        // Those of rates have no usual one in Keras.
        for (key, value) in try settings(of: metric) where kind.name.contains("_at_") && key != "thresholds" {
            config[kerasKey(key)] = value
        }
        return object(className(kind), "keras.metrics", config)
    }

    /// A loss with settings as a metric, where Keras has one.
    private mutating func object(_ loss: any Loss, _ value: ConfigurationValue) -> ConfigurationValue? {
        let known = [
            "BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy",
        ]
        let name = "\(type(of: loss))"
        guard known.contains(name), let config = value.members?["config"]?.members else {
            warnings.append("Keras has no metric \(name) with settings, which is left out")
            return nil
        }
        return object(name, "keras.metrics", config)
    }

    private func className(_ kind: any Metric.Type) -> String {
        let name = "\(kind)"
        return name.hasSuffix("Metric") ? String(name.dropLast("Metric".count)) : name
    }

    // MARK: Optimizers

    private mutating func optimizer(_ training: TrainingConfiguration) throws -> ConfigurationValue? {
        let optimizer = training.optimizer
        guard isBuiltIn(optimizer, builtInOptimizers.map { ObjectIdentifier($0) }, "optimizer") else {
            return nil
        }
        func differing(_ value: some Optimizer) throws -> Configuration {
            try KerasSettings().config(of: value, unlike: type(of: value).init())
        }
        var config = try differing(optimizer)
        config["learning_rate"] = .number(optimizer.learningRate)
        if let schedule = training.schedule {
            config["learning_rate"] = try self.schedule(schedule) ?? config["learning_rate"]
        }
        switch training.clipping {
        case .value(let limit): config["clipvalue"] = .number(limit)
        case .norm(let limit): config["clipnorm"] = .number(limit)
        case .globalNorm(let limit): config["global_clipnorm"] = .number(limit)
        case nil: break
        }
        if let averaging = training.weightAveraging {
            config["use_ema"] = true
            config["ema_momentum"] = .number(averaging.momentum)
            config["ema_overwrite_frequency"] =
                averaging.overwriteFrequency.map { .integer($0) } ?? .null
        }
        if training.accumulation > 1 {
            if dialect == .keras3 {
                config["gradient_accumulation_steps"] = .integer(training.accumulation)
            } else {
                warnings.append("gradient accumulation is left out: Keras 2 (tf_keras) has none")
            }
        }
        if !training.excludeFromWeightDecay.isEmpty {
            warnings.append("which variables weight decay leaves is left out: Keras's files do not say it")
        }
        if !training.learningRateMultipliers.isEmpty {
            warnings.append("learning rates of single layers are left out: Keras has one for all")
        }
        let name = "\(type(of: optimizer))"
        if dialect == .legacy {
            config["name"] = .string(name)
            leaveOutWhatLegacyOptimizersLack(name, &config)
        }
        return object(name, "keras.optimizers", config)
    }

    /// Keras 2 (tf_keras) makes its older optimizers of such names in `.h5` files, which refuse settings that came later.
    private mutating func leaveOutWhatLegacyOptimizersLack(_ name: String, _ config: inout Configuration) {
        guard !["AdamW", "Adafactor", "Lamb", "Lion"].contains(name) else { return }
        if let decay = config.removeValue(forKey: "weight_decay")?.double, decay > 0 {
            warnings.append("weight decay of \(name) is left out: Keras 2 (tf_keras) has it in AdamW only")
        }
        let averaging = ["use_ema", "ema_momentum", "ema_overwrite_frequency"].compactMap {
            config.removeValue(forKey: $0)
        }
        if !averaging.isEmpty {
            warnings.append(
                "the average of weights is left out: optimizers in .h5 files of Keras 2 have none")
        }
    }

    private mutating func schedule(_ schedule: LearningRateSchedule) throws -> ConfigurationValue? {
        if case .constant(let rate) = schedule { return .number(rate) }
        guard let className = KerasCompileReader.schedules.first(where: { $0.1 == schedule.name })?.0,
            let own = try settings(of: schedule)[schedule.name]?.members
        else {
            warnings.append("Keras has no schedule \(schedule.name), which is left out")
            return nil
        }
        var config: Configuration = [:]
        for (key, value) in own { config[kerasKey(key)] = value }
        // Keras 3 wants the module in files of Keras 2, too, and Keras 2 does not mind.
        guard case .object(var members) = object(className, "keras.optimizers.schedules", config) else {
            return nil
        }
        members["module"] = .string("keras.optimizers.schedules")
        members["registered_name"] = .null
        return .object(members)
    }
}
