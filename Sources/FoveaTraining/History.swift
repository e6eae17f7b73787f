import Foundation

/// What training reported, epoch by epoch.
public struct History: Hashable, Codable, Sendable {
    /// What was reported of one epoch.
    public struct Epoch: Hashable, Codable, Sendable {
        /// Counts from 1.
        public let number: Int
        /// The mean loss over the training examples, each as it was when its batch was trained on; NaN if all of the
        /// epoch's batches were left out (`ElementErrorPolicy.skip`).
        public let loss: Double
        /// By name, such as `accuracy`; likewise while training.
        public let metrics: [String: Double]
        /// The mean loss over the validation examples after the epoch; nil where it was not validated.
        public let validationLoss: Double?
        /// Empty where it was not validated.
        public let validationMetrics: [String: Double]
        /// Wall-clock time of training and validation.
        public let seconds: Double

        public init(
            number: Int, loss: Double, metrics: [String: Double] = [:], validationLoss: Double? = nil,
            validationMetrics: [String: Double] = [:], seconds: Double
        ) {
            self.number = number
            self.loss = loss
            self.metrics = metrics
            self.validationLoss = validationLoss
            self.validationMetrics = validationMetrics
            self.seconds = seconds
        }

        /// Every reported number by Keras's name, in the order of the names: `accuracy`, `loss`, `val_accuracy`,
        /// `val_loss`.
        public var values: [(name: String, value: Double)] {
            var values = metrics.merging(["loss": loss]) { _, loss in loss }
            for (name, value) in validationMetrics { values["val_\(name)"] = value }
            values["val_loss"] = validationLoss
            return values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
        }

        /// The reported number of that name, such as `val_loss`; nil when there is none.
        public subscript(name: String) -> Double? { values.first { $0.name == name }?.value }
    }

    public internal(set) var epochs: [Epoch]
    /// Whether training was stopped by a `StopSignal` before its last epoch was complete.
    public internal(set) var wasInterrupted: Bool
    /// Why a callback ended training, if one did.
    public internal(set) var stopReason: String?

    /// What was reported under a name, such as `val_loss`, epoch by epoch; without the epochs that lack it, so empty for a name
    /// that no epoch has. Keras's `history.history[name]`.
    public subscript(name: String) -> [Double] { epochs.compactMap { $0[name] } }

    public init(epochs: [Epoch] = [], wasInterrupted: Bool = false, stopReason: String? = nil) {
        self.epochs = epochs
        self.wasInterrupted = wasInterrupted
        self.stopReason = stopReason
    }

    /// A table with a line per epoch under a line of names: `epoch`, the names of `Epoch.values`, `seconds`. Numbers are
    /// written so that reading them gives the same bits; a number that an epoch lacks leaves its field empty.
    public var csv: String { csv(separator: ",") }

    /// As `csv`, with another text between the fields.
    package func csv(separator: String) -> String {
        let names = Set(epochs.flatMap { $0.values.map(\.name) }).sorted()
        let header = (["epoch"] + names + ["seconds"]).joined(separator: separator)
        let rows = epochs.map { epoch in
            let values = Dictionary(uniqueKeysWithValues: epoch.values.map { ($0.name, $0.value) })
            let fields = names.map { values[$0].map(\.description) ?? "" }
            return (["\(epoch.number)"] + fields + ["\(epoch.seconds)"]).joined(separator: separator)
        }
        return ([header] + rows).joined(separator: "\n") + "\n"
    }

    /// The history as JSON text, in which numbers that are not finite are the strings `NaN`, `Infinity` and `-Infinity`.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return try encoder.encode(self)
    }

    /// A history from the text that `json()` made.
    ///
    /// - Throws: `DecodingError` for any other text.
    public init(json: Data) throws {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        self = try decoder.decode(History.self, from: json)
    }
}
