import Foundation
import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import FoveaTraining
import Testing

@testable import FoveaSaving

/// Names come from files and arguments: what is printed of them does nothing to a terminal and has a length that fits it.
@Suite struct ErrorTextTests {
    private static let name: String = "\u{1B}[2J\u{202E}\n" + String(repeating: "n", count: 100_000)

    private func expectHarmless(_ text: String, limit: Int, sourceLocation: SourceLocation = #_sourceLocation)
    {
        #expect(
            !text.unicodeScalars.contains { "\u{1B}\u{202E}".unicodeScalars.contains($0) },
            sourceLocation: sourceLocation)
        #expect(text.unicodeScalars.count <= limit, sourceLocation: sourceLocation)
        #expect(text.contains("\\u{1B}[2J\\u{202E}"), sourceLocation: sourceLocation)
    }

    static let errors: [any Error & Sendable] = [
        ConfigurationError(owner: name, key: name, name).inside(name),
        ShapeError(name, name, path: [name]),
        TrainingError.invalidArgument(name, name, expected: name),
        TrainingError.unknownOutput(name, known: [name, name]),
        TrainingError.checkpointDoesNotFit(name, name),
        TrainingError.notReported(name, callback: name, reported: [name]),
        TrainingError.wrongCount(name, expected: [name], received: 1, in: .training),
        RunError.unknownInput(name, known: [name]), RunError.kernel(name),
        FileError(path: name, operation: .open, code: 2),
        SafetensorsError(file: name, problem: .duplicateName(name)),
        SafetensorsError(file: name, problem: .unsupportedDType(tensor: name, dtype: name)),
        SafetensorsError.Problem.unsupportedDType(tensor: name, dtype: name),
        ModelFileError(file: name, problem: name), DatasetError(.wrongFormat, file: name, name),
    ]

    @Test func descriptions() {
        for error in Self.errors { check("\(error)") }
    }

    private func check(_ text: String) {
        expectHarmless(text, limit: 2_000)
        #expect(!text.contains { $0.isNewline })
    }

    /// The words around a long name stay.
    @Test func longNamesLeaveTheMessage() {
        let error = ShapeError("Dense", "layer '\(Self.name)' has 2 outputs; use Model", path: ["m"])
        #expect(error.description.hasPrefix("m: Dense: layer '"))
        #expect(error.description.hasSuffix("' has 2 outputs; use Model"))
    }

    @Test func summaries() throws {
        let name = Self.name.replacingOccurrences(of: "\n", with: "").replacingOccurrences(
            of: "\u{1B}", with: "")
        let model = try Sequential(name: name, input: [3]) { Dense(units: 2, name: name) }
        let x = LayerOutput.input(name + "x", [3])
        let graph = try Model(inputs: [x], outputs: [Dense(units: 2, name: name)(x)], name: name)
        for summary in [model.summary(), graph.summary()] {
            #expect(!summary.contains("\u{202E}") && summary.contains("\\u{202E}nnn"))
            for line in summary.split(separator: "\n") { #expect(line.count < 500) }
        }
        let matrix = try ConfusionMatrix(
            labels: [0, 1], predictions: TensorValue(shape: [2, 2], [1, 0, 0, 1] as [Float]), classes: 2,
            classNames: [Self.name, "b"])
        for line in matrix.description.split(separator: "\n") { #expect(line.count < 500) }
        expectHarmless(matrix.description, limit: 2_000)
    }
}
