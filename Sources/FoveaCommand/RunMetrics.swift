import Foundation
import Fovea

/// What a run came to, as `metrics.json` has it.
struct RunMetrics: Codable {
    /// Left out where there are no test images, as the loss.
    var testAccuracy: Double?
    var testLoss: Double?
    var seconds: Double
    var imagesPerSecond: Double
    var dataset: String
    var network: String
    /// As a shell takes it.
    var command: String?
    /// What was given for these; and whether the features of a base were computed once.
    var head: String?
    var fineTune: String?
    var featuresKept: Bool?
    var epochs: Int
    var batchSize: Int
    var seed: UInt64
    var optimizer: String
    var learningRate: Double
    /// What was given for these, left out where nothing was.
    var schedule: String?
    var clip: String?
    var classWeights: String?
    var mixup: Double?
    var validation: String?
    var imageSize: String?
    var augment: String?
    var dropout: Double?
    /// Where it was computed; left out where that was the usual, the CPU.
    var device: String?
    var precision: String
    var threads: Int
    var versions: [String: String]
    /// The choices of the tuner; left out where there was none.
    var autotune: [Tuner.Record]?
}
