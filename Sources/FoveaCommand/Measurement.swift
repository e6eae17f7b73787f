import Foundation
import Fovea

/// What `fovea evaluate` measured, as `--output` writes it.
struct Measurement: Codable {
    struct Class: Codable {
        var name: String
        var precision: Double
        var recall: Double
        var f1Score: Double
        var examples: Int
    }

    /// One of the most wrong answers.
    struct Wrong: Codable {
        var image: String
        var `class`: String
        var predicted: String
        var probability: Double
        var loss: Double
    }

    var model: String
    var dataset: String
    var loss: Double
    var metrics: [String: Double]
    /// Left out, as what follows, where the output is no class.
    var classes: [Class]?
    /// One row for each true class, with one column for each predicted class.
    var confusionMatrix: [[Int]]?
    var worst: [Wrong]?

    /// - Parameters:
    ///   - worst: the answers to be named.
    ///   - name: what an image is called, by its number.
    init(
        _ model: String, _ dataset: String, _ result: Evaluation, _ report: ClassificationReport?,
        worst: [ClassificationReport.Answer]?, name: (Int) -> String
    ) {
        self.model = model
        self.dataset = dataset
        loss = result.loss
        metrics = result.metrics
        guard let matrix = report?.confusion else { return }
        let names = matrix.classNames
        let (precision, recall, f1Score, support) = (
            matrix.precision, matrix.recall, matrix.f1Score, matrix.support
        )
        classes = names.indices.map {
            Class(
                name: names[$0], precision: precision[$0], recall: recall[$0], f1Score: f1Score[$0],
                examples: support[$0])
        }
        confusionMatrix = matrix.counts
        self.worst = worst?.map {
            Wrong(
                image: name($0.index), class: names[$0.label], predicted: names[$0.predicted],
                probability: $0.probability, loss: $0.loss)
        }
    }
}
