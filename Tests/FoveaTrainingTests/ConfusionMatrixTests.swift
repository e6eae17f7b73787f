import Foundation
import FoveaGraph
import FoveaTraining
import Testing

struct ConfusionMatrixTests {
    private func predictions(_ rows: [[Float]]) throws -> TensorValue {
        try TensorValue(shape: Shape([rows.count, rows[0].count]), rows.flatMap { $0 })
    }

    private func example(names: [String] = []) throws -> ConfusionMatrix {
        try ConfusionMatrix(
            labels: [0, 0, 0, 2, 2, 1],
            predictions: predictions([
                [3, 1, 2], [1, 1, 0], [0, 0.5, 0.2], [-1, -2, -0.5], [9, 0, 0], [0, 0, 1],
            ]), classes: 3, classNames: names)
    }

    @Test func counts() throws {
        let matrix = try example()
        // The second row ties: the first of the largest outputs is predicted.
        #expect(matrix.counts == [[2, 1, 0], [0, 0, 1], [1, 0, 1]])
        #expect(matrix.accuracy == 0.5)
        #expect(matrix.precision == [2 / 3.0, 0, 0.5])
        #expect(matrix.recall == [2 / 3.0, 0, 0.5])
        #expect(matrix.f1Score == [4 / 6.0, 0, 0.5])
    }

    @Test func theTable() throws {
        #expect(
            try example(names: ["cat", "dog", "horse"]).description == """
                true \\ predicted  cat  dog  horse  precision  recall     F1  examples
                cat                 2    1      0      0.667   0.667  0.667         3
                dog                 0    0      1      0.000   0.000  0.000         1
                horse               1    0      1      0.500   0.500  0.500         2
                mean of classes                        0.389   0.389  0.389         6
                accuracy 0.500 of 6
                """)
        #expect(try example().classNames == ["0", "1", "2"])
    }

    @Test func twoClassesOfOneOutput() throws {
        let outputs = try predictions([[0.5], [0.51], [0.9], [0.1]])
        let matrix = try ConfusionMatrix(labels: [0, 0, 1, 1], predictions: outputs, classes: 2)
        #expect(matrix.counts == [[1, 1], [1, 1]])
        let logits = try ConfusionMatrix(
            labels: [0, 0, 1, 1], predictions: outputs, classes: 2, threshold: 0)
        #expect(logits.counts == [[0, 2], [0, 2]])
        #expect(logits.precision == [0, 0.5] && logits.recall == [0, 1])
    }

    @Test func noExamples() throws {
        let none = try TensorValue(shape: [0, 2], [])
        let matrix = try ConfusionMatrix(labels: [], predictions: none, classes: 2)
        #expect(matrix.accuracy == 0 && matrix.f1Score == [0, 0])
        #expect(matrix.description.hasSuffix("accuracy 0.000 of 0"))
    }

    @Test func agreesWithTheMetrics() async throws {
        let matrix = try example()
        let (y, x) = (Tensor.input("y", .scalar, .int32), Tensor.input("x", [3]))
        let rows: [Float] = [3, 1, 2, 1, 1, 0, 0, 0.5, 0.2, -1, -2, -0.5, 9, 0, 0, 0, 0, 1]
        let pairs: [(any Metric, [Double])] = [
            (.precision(), matrix.precision), (.recall(), matrix.recall), (.f1Score(), matrix.f1Score),
        ]
        for (metric, ofClasses) in pairs {
            let sums = try await outputs(
                of: [metric(targets: y, predictions: x)],
                ["x": TensorValue(shape: [6, 3], rows), "y": TensorValue([0, 0, 0, 2, 2, 1] as [Int32])],
                batch: 6)
            #expect(abs(metric.value(of: sums[0].doubles) - ofClasses.reduce(0, +) / 3) < 1e-12)
        }
    }

    @Test func wrongInput() throws {
        let outputs = try predictions([[0, 1], [1, 0]])
        let column = try predictions([[0], [1]])
        func expectError(_ labels: [Int], _ predictions: TensorValue, _ classes: Int, _ names: [String] = [])
        {
            #expect(throws: TrainingError.self) {
                try ConfusionMatrix(
                    labels: labels, predictions: predictions, classes: classes, classNames: names)
            }
        }
        expectError([0, 2], outputs, 2)
        expectError([0, -1], outputs, 2)
        expectError([0], outputs, 2)
        expectError([0, 1], outputs, 3)
        expectError([0, 1], column, 1)
        expectError([0, 1], column, 3)
        expectError([0, 1], outputs, .max)
        expectError([0, 1], outputs, -1)
        expectError([0, 1], outputs, 2, ["a"])
        expectError([0, 1], TensorValue([0, 1] as [Float]), 2)
        expectError([0, 1], TensorValue(0), 2)
        expectError([0, 1], try predictions([[0, .nan], [1, 0]]), 2)
    }

    @Test func codableRoundTrip() throws {
        let matrix = try example(names: ["a", "b", "c"])
        #expect(try JSONDecoder().decode(ConfusionMatrix.self, from: JSONEncoder().encode(matrix)) == matrix)
    }
}

/// What is printed of many classes is bounded.
struct LargeConfusionMatrixTests {
    @Test func manyClasses() throws {
        let classes = 100
        let labels = (0..<3 * classes).map { $0 % classes }
        // One of three is taken for the next class, of the first 30 all.
        let predicted = labels.enumerated().map { index, label in
            index < classes || label < 30 ? (label + 1) % classes : label
        }
        let rows = predicted.map { place in (0..<classes).map { $0 == place ? Float(1) : 0 } }
        let matrix = try ConfusionMatrix(
            labels: labels, predictions: TensorValue(shape: [labels.count, classes], rows.flatMap { $0 }),
            classes: classes, classNames: (0..<classes).map { "class number \($0)" })
        let lines = "\(matrix)".split(separator: "\n")
        #expect(lines.count == 45)
        #expect(lines.allSatisfy { $0.count <= 120 })
        #expect(lines[0] == "100 classes; those with the lowest F1 score are")
        #expect(lines[2].hasPrefix("class number 0 ") && lines[2].hasSuffix("0.000   0.000  0.000         3"))
        #expect(lines[24] == "  3 × class number 0 taken for class number 1")
        #expect(matrix.confusions(2).map(\.label) == [0, 1])
        #expect(lines.last == "accuracy 0.467 of 300")
    }

    /// Names come from files.
    @Test func namesThatWouldBreakTheTable() throws {
        let matrix = try ConfusionMatrix(
            labels: [0, 1], predictions: TensorValue(shape: [2, 2], [1, 0, 1, 0]), classes: 2,
            classNames: ["a\u{1B}[2J\n", String(repeating: "long ", count: 100)])
        #expect("\(matrix)".unicodeScalars.allSatisfy { $0 == "\n" || $0.value >= 32 })
        #expect("\(matrix)".contains("1 × "), "too wide for a column for each class")
    }
}
