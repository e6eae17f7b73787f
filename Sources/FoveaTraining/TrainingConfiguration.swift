import FoveaGraph

/// How a model is trained, as it is saved with the model.
public struct TrainingConfiguration: Codable, Sendable {
    public var optimizer: any Optimizer
    /// What is asked of each output, by the output's name. Outputs that are missing here are not trained.
    public var outputs: [String: OutputTraining]
    /// The learning rate of each step of the optimizer; the optimizer's when nil.
    public var schedule: LearningRateSchedule?
    /// How large gradients are made smaller; not when nil.
    public var clipping: GradientClipping?
    /// How many batches make one step of the optimizer, which is what schedules and constraints count
    /// (`ModelProtocol.compile`).
    public var accumulation: Int
    /// Parts of the names of variables that weight decay leaves, such as `bias` or `dense_1/kernel`; a name with any of
    /// them is left. Keras's `exclude_from_weight_decay(var_names:)`, but a part is taken as it is, not as a pattern.
    public var excludeFromWeightDecay: [String]
    /// Whether and how averages of what is trained are kept; none when nil.
    public var weightAveraging: WeightAveraging?
    /// What the learning rate is multiplied with for the parameters of a layer, or for a single one, by its path in the model,
    /// such as `["base": 0.1]`; of several paths that a parameter is below the longest counts, and all others have 1. So layers
    /// that were trained before are changed less than new ones. Not negative; a multiplier of 0 changes nothing by the gradient,
    /// but unlike frozen layers these still follow the data, as batch normalisation does.
    ///
    /// Howard and Ruder 2018, "Universal language model fine-tuning for text classification", arXiv:1801.06146, section 3.2:
    /// discriminative fine-tuning. PyTorch's parameter groups.
    public var learningRateMultipliers: [String: Double]

    public init(
        optimizer: any Optimizer, outputs: [String: OutputTraining], schedule: LearningRateSchedule? = nil,
        clipping: GradientClipping? = nil, accumulation: Int = 1, excludeFromWeightDecay: [String] = [],
        weightAveraging: WeightAveraging? = nil, learningRateMultipliers: [String: Double] = [:]
    ) {
        self.optimizer = optimizer
        self.outputs = outputs
        self.schedule = schedule
        self.clipping = clipping
        self.accumulation = accumulation
        self.excludeFromWeightDecay = excludeFromWeightDecay
        self.weightAveraging = weightAveraging
        self.learningRateMultipliers = learningRateMultipliers
    }

    /// What is asked of the one output that is trained; nil when there are several.
    public var onlyOutput: OutputTraining? { outputs.count == 1 ? outputs.first?.value : nil }

    /// - Throws: `TrainingError` for a setting outside its range.
    func checkSettings() throws {
        try optimizer.checkSettings()
        try schedule?.checkSettings()
        try clipping?.checkSettings()
        try weightAveraging?.checkSettings()
        if excludeFromWeightDecay.contains("") {
            throw TrainingError.invalidArgument(
                "excludeFromWeightDecay", "\(excludeFromWeightDecay)",
                expected: "parts of names, such as \"bias\"; an empty one is in every name")
        }
        guard accumulation > 0 else {
            throw TrainingError.invalidArgument(
                "accumulation", "\(accumulation)", expected: "a positive number of batches")
        }
        for (path, multiplier) in learningRateMultipliers where !(multiplier.isFinite && multiplier >= 0) {
            throw TrainingError.invalidArgument(
                "the learning rate's multiplier of '\(path)'", "\(multiplier)",
                expected: "a finite number that is not negative, such as 0.1")
        }
        for (name, output) in outputs where !(output.weight.isFinite && output.weight >= 0) {
            throw TrainingError.invalidArgument(
                "the weight of output '\(name)'", "\(output.weight)",
                expected: "a finite number that is not negative")
        }
    }

    // MARK: Files

    private enum Key: String, CodingKey {
        case optimizer, outputs, schedule, clipping, accumulation, excludeFromWeightDecay, weightAveraging
        case learningRateMultipliers
    }
    private enum OptimizerKey: String, CodingKey { case name, settings }

    /// - Throws: `DecodingError` for an unknown optimizer, loss or metric or a missing setting, `TrainingError` for a
    ///   setting outside its range.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let optimizer = try container.nestedContainer(keyedBy: OptimizerKey.self, forKey: .optimizer)
        let name = try optimizer.decode(String.self, forKey: .name)
        let type: any Optimizer.Type
        do {
            type = try decoder.customTypes.optimizer(named: name)
        } catch { throw error.error(at: decoder.codingPath) }
        self.optimizer = try optimizer.decode(type, forKey: .settings)
        outputs = try container.decode([String: OutputTraining].self, forKey: .outputs)
        schedule = try container.decodeIfPresent(LearningRateSchedule.self, forKey: .schedule)
        clipping = try container.decodeIfPresent(GradientClipping.self, forKey: .clipping)
        accumulation = try container.decode(Int.self, forKey: .accumulation)
        // Earlier files lack these.
        excludeFromWeightDecay =
            try container.decodeIfPresent([String].self, forKey: .excludeFromWeightDecay) ?? []
        weightAveraging = try container.decodeIfPresent(WeightAveraging.self, forKey: .weightAveraging)
        learningRateMultipliers =
            try container.decodeIfPresent([String: Double].self, forKey: .learningRateMultipliers) ?? [:]
        try checkSettings()
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        var optimizer = container.nestedContainer(keyedBy: OptimizerKey.self, forKey: .optimizer)
        try optimizer.encode(type(of: self.optimizer).name, forKey: .name)
        try optimizer.encode(self.optimizer, forKey: .settings)
        try container.encode(outputs, forKey: .outputs)
        try container.encodeIfPresent(schedule, forKey: .schedule)
        try container.encodeIfPresent(clipping, forKey: .clipping)
        try container.encode(accumulation, forKey: .accumulation)
        if !excludeFromWeightDecay.isEmpty {
            try container.encode(excludeFromWeightDecay, forKey: .excludeFromWeightDecay)
        }
        try container.encodeIfPresent(weightAveraging, forKey: .weightAveraging)
        if !learningRateMultipliers.isEmpty {
            try container.encode(learningRateMultipliers, forKey: .learningRateMultipliers)
        }
    }
}

/// What training asks of one output of a model.
public struct OutputTraining: Hashable, Codable, Sendable {
    /// What is made smaller; an output without is only measured.
    public var loss: (any Loss)?
    /// How much the loss counts in the sum over all outputs, not negative.
    public var weight: Double
    public var metrics: [any Metric]

    /// Metrics that come twice are taken once.
    public init(loss: (any Loss)?, weight: Double = 1, metrics: [any Metric] = []) {
        self.loss = loss
        self.weight = weight
        var seen = Set<CodableMetric>()
        self.metrics = metrics.filter { seen.insert(CodableMetric($0)).inserted }
    }

    // MARK: Equality and files

    private var codableLoss: CodableLoss? { loss.map { CodableLoss($0) } }
    private var codableMetrics: [CodableMetric] { metrics.map { CodableMetric($0) } }

    public static func == (a: OutputTraining, b: OutputTraining) -> Bool {
        a.codableLoss == b.codableLoss && a.weight == b.weight && a.codableMetrics == b.codableMetrics
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(codableLoss)
        hasher.combine(weight)
        hasher.combine(codableMetrics)
    }

    private enum CodingKeys: CodingKey { case loss, weight, metrics }

    /// - Throws: `DecodingError` for an unknown loss or metric or a missing setting.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        loss = try container.decodeIfPresent(CodableLoss.self, forKey: .loss)?.loss
        weight = try container.decode(Double.self, forKey: .weight)
        metrics = try container.decode([CodableMetric].self, forKey: .metrics).map(\.metric)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encodeIfPresent(codableLoss, forKey: .loss)
        try container.encode(weight, forKey: .weight)
        try container.encode(codableMetrics, forKey: .metrics)
    }
}
