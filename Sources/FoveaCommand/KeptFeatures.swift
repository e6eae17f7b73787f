import Fovea

/// A base's features of everything to train on, so that a step of the head takes no pass through the base.
struct KeptFeatures {
    let train: Examples
    let validation: Examples?

    /// How many bytes are kept at most.
    private static let byteLimit = 2 << 30

    /// Why they cannot be kept; nil when they can.
    static func obstacle(_ model: TransferModel, _ data: TrainingData, isAugmented: Bool) throws -> String? {
        if isAugmented {
            return "pictures change at random (--augment), so the base computes their features in each epoch"
        }
        let count = data.train.count + (data.validation?.count ?? 0)
        let (bytes, overflow) = (4 * (try model.features.outputShape.elementCount))
            .multipliedReportingOverflow(by: count)
        if overflow || bytes > byteLimit {
            return
                "the features of \(count) pictures are too many to keep, so the base computes them in each epoch"
        }
        return nil
    }

    /// - Throws: `CancellationError` when it is stopped.
    init(
        _ model: TransferModel, _ data: TrainingData, _ pictures: PictureOptions.Settings, _ device: Device,
        _ stop: StopSignal
    ) async throws {
        let predictor = try Predictor(model.features, device: device)
        func features(_ part: TrainingData.Part) async throws -> Examples {
            try await pictures.badPictures.noted {
                try await predictor.features(
                    of: part.examples, onError: pictures.badPictures.policy,
                    loaderThreads: pictures.loaderThreads, stop: stop)
            }
        }
        train = try await features(data.train)
        if let part = data.validation { validation = try await features(part) } else { validation = nil }
    }

    var labels: [Int] { train.targets.first?.integers.map { Int($0) } ?? [] }

    /// What a linear head is trained with unless something else is asked for: gradient descent with momentum whose step size fits
    /// the size of the features, and a decay of weights that is the larger the fewer examples there are.
    ///
    /// With s, the mean of the features' sum of squares, the second derivative of the loss is at most s / 2. The step size is
    /// 2 / s; weights decay as with an L2 penalty of `0.07·s / count`, of which momentum makes the factor. Both are the same for
    /// features that are all multiplied with a number. The two constants were chosen on photographs: from 5 to 1,000 of a class. The
    /// command lets the step size fall by half a cosine.
    ///
    /// - Parameter learningRate: the step size; chosen when nil.
    func usualOptimizer(learningRate: Double?) -> SGD? {
        var sum = 0.0
        for number in train.inputs[0].floats { sum += Double(number) * Double(number) }
        let size = sum / Double(train.count)
        guard size.isFinite, size > 0 else { return nil }
        let (rate, momentum) = (learningRate ?? 2 / size, 0.9)
        // So that a step takes away half of the weights at most.
        let decay = min(0.14 * size / Double(train.count) / (1 - momentum), 0.5 / max(rate, 1e-9))
        return SGD(learningRate: rate, momentum: momentum, weightDecay: decay)
    }

    /// How many epochs are enough: many are cheap.
    func usualEpochs(batchSize: Int) -> Int {
        let steps = max(1, (train.count + batchSize - 1) / batchSize)
        return max(20, (300 + steps - 1) / steps)
    }
}
