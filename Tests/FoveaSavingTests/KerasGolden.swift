import Foundation
import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaSaving
import FoveaTraining
import Testing

/// Files that Keras wrote, by `Fixtures/Keras/make_keras.py`, with what it predicted or how it went on with training.
enum KerasGolden {
    struct Record: Decodable {
        /// What the model gives for `numbers` of its inputs, of each output.
        let outputs: [[Float]]?
        /// The losses of the batches 4 to 8, for which training goes on.
        let losses: [Float]?
    }

    static func records() throws -> [String: Record] {
        let url = try #require(
            Bundle.module.url(forResource: "Fixtures/Keras/predictions", withExtension: "json"))
        return try JSONDecoder().decode([String: Record].self, from: Data(contentsOf: url))
    }

    static func path(_ name: String) throws -> String {
        try #require(Bundle.module.url(forResource: "Fixtures/Keras/\(name)", withExtension: nil)).path
    }

    static func bytes(_ name: String) throws -> [UInt8] { try AtomicFile.read(path(name)) }

    /// The numbers of `make_keras.py`.
    static func numbers(_ shape: Shape, seed: Int) throws -> TensorValue {
        try TensorValue(
            shape: shape,
            (0..<shape.elementCount).map { Float((Double(($0 * 37 + seed * 11) % 101) / 50) - 1) })
    }

    /// Inputs for a model.
    static func inputs(of model: any ModelProtocol, batch: Int = 2, seed: Int = 0) throws -> [TensorValue] {
        try model.modelInputs.enumerated().map { index, input in
            try numbers(Shape([batch] + input.shape.dimensions), seed: seed + index)
        }
    }

    /// What a model gives for these inputs.
    static func outputs(of model: any ModelProtocol) async throws -> [[Float]] {
        try await Predictor(model, device: .cpu).outputs(for: inputs(of: model)).map(\.floats)
    }

    /// The largest difference of two lists of outputs; infinite when they are of different sizes.
    static func difference(_ a: [[Float]], _ b: [[Float]]) -> Float {
        guard a.map(\.count) == b.map(\.count) else { return .infinity }
        return zip(a.joined(), b.joined()).map { abs($0 - $1) }.max() ?? 0
    }
}

/// The losses of batches of `make_keras.py`, each before its step.
@Compute
func nextLosses(_ trainer: Trainer, steps: Range<Int>) throws -> [Float] {
    try steps.map { step in
        let examples = try Examples(
            inputs: KerasGolden.inputs(of: trainer.model, batch: 4, seed: step * 10),
            targets: [TensorValue((0..<4).map { Int32(($0 + step) % 3) })])
        let history = try trainer.fit(
            examples, epochs: step + 1, batchSize: 4, shuffle: false, initialEpoch: step, verbosity: .silent)
        return Float(history.epochs.last?.loss ?? .nan)
    }
}
