import FoveaDatasets
import FoveaGraph
import FoveaRuntime

extension Trainer {
    /// What `evaluate` gives and how well classes are told apart, of a model with one trained output, in one pass.
    ///
    /// - Parameters:
    ///   - examples: what to measure on: those of epoch 0.
    ///   - classNames: what each class is called, or empty.
    ///   - batchSize: examples computed at once.
    ///   - onError: what becomes of an example that cannot be computed, such as a picture that is damaged.
    ///   - loaderThreads: how many threads compute examples, as for `fit`.
    /// - Throws: `TrainingError` for data that does not fit the model, a model whose output is not `[classes]`, and when every
    ///   batch is left out; what computing an example throws.
    public func report(
        on examples: Dataset<Example>, classNames: [String] = [], batchSize: Int = 32,
        onError: ElementErrorPolicy = .stop, loaderThreads: Int? = nil
    ) throws -> (evaluation: Evaluation, report: ClassificationReport) {
        guard outputs.count == 1, outputs[0].shape.rank == 1 else {
            throw TrainingError.invalidArgument(
                "the model's trained output",
                outputs.map { "\($0.name) \($0.shape)" }.joined(separator: ", "),
                expected: "one of shape [classes]; evaluate measures any others")
        }
        let numbered = try NumberedExamples(examples, batchSize: batchSize, onError: onError, .evaluation)
        var totals = Totals(self)
        var (numbers, targets, predictions) = ([Int](), JoinedRows(), JoinedRows())
        try numbered.batches.loaded(threads: loaderThreads).forEachBatch(.evaluation) { batch in
            let (examples, ofBatch) = try NumberedExamples.separated(batch)
            try check(examples, .evaluation)
            let results = try runner.run(reportStep(GraphKey(examples)), values(of: examples))
            try totals.add(results, examples: examples.count)
            numbers += ofBatch
            targets.add(try examples.onlyTarget())
            if let last = results.last { predictions.add(try last.value()) }
        }
        guard let targets = try targets.joined(), let predictions = try predictions.joined() else {
            throw TrainingError.noExamples(.evaluation)
        }
        let report = try ClassificationReport(
            targets: targets, predictions: predictions, fromLogits: givesLogits(),
            classNames: classNames, ignoredClass: ignoredClass, indices: numbers)
        return (Evaluation(loss: totals.meanLoss, metrics: totals.metrics), report)
    }

    /// Whether the trained output has logits: as its loss says, else unless it comes out of a softmax or sigmoid.
    private func givesLogits() throws -> Bool {
        switch outputs[0].training.loss?.outputKind {
        case .logits, .logProbabilities: true
        case .probabilities: false
        case .numbers, nil: try !model.givesProbabilities()
        }
    }

    private var ignoredClass: Int? {
        if case .classNumbers(let ignored) = outputs[0].training.loss?.targetKind { ignored } else { nil }
    }
}
