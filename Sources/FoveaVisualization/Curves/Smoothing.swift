import FoveaTraining

extension History {
    /// The history with every number averaged with those before it, which shows where noisy curves go:
    /// `sᵢ = factor · sᵢ₋₁ + (1 - factor) · xᵢ`, `s₁ = x₁`; NaN stays where it is and counts for none of the others.
    ///
    /// This is the function `smooth_curve` of F. Chollet's "Deep Learning with Python" (2017), section 5.2, with its factor 0.8 by
    /// default.
    ///
    /// - Parameter factor: how much of a number comes from those before it: at least 0, which changes nothing, and below 1.
    /// - Throws: `VisualizationError` for a factor outside this range.
    public func smoothed(by factor: Double = 0.8) throws(VisualizationError) -> History {
        guard factor >= 0, factor < 1 else {
            throw VisualizationError(
                .invalidArgument,
                "curves are smoothed by a factor of at least 0 (not at all) and below 1, not by \(factor)")
        }
        var averages: [String: Double] = [:]
        let smoothedEpochs = epochs.map { epoch in
            let values = epoch.values.map { name, value -> (String, Double) in
                guard value.isFinite else { return (name, value) }
                let average = averages[name].map { factor * $0 + (1 - factor) * value } ?? value
                averages[name] = average
                return (name, average)
            }
            return epoch.replacing(Dictionary(uniqueKeysWithValues: values))
        }
        return History(epochs: smoothedEpochs, wasInterrupted: wasInterrupted, stopReason: stopReason)
    }
}

extension History.Epoch {
    /// With other numbers of the same names.
    fileprivate func replacing(_ values: [String: Double]) -> History.Epoch {
        var (metrics, validation) = (metrics, validationMetrics)
        for name in metrics.keys { metrics[name] = values[name] }
        for name in validation.keys { validation[name] = values["val_\(name)"] }
        return History.Epoch(
            number: number, loss: values["loss"] ?? loss, metrics: metrics,
            validationLoss: values["val_loss"], validationMetrics: validation, seconds: seconds)
    }
}
