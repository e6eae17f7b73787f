import CKernels
import Foundation
import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import FoveaTraining
import Testing

/// Losses of classes where predictions are sure, impossible or not a number, on each way of computing them.
struct LossAccuracyTests {
    /// The largest error, relative to the larger of 1 and the exact value.
    private static let tolerance = 3e-7

    /// Runs a body with the reference, and with each precision and kind of vector kernels that this CPU has.
    @Compute private func forEachPath(_ body: (any Backend, String) throws -> Void) rethrows {
        try body(ReferenceBackend(), "the reference")
        let present = OneDNNBackend.vectorKind
        defer { _ = fovea_set_vector_kind(present) }
        for kind in ["baseline", "avx2", "avx512"] where fovea_set_vector_kind(kind) != 0 {
            for precision in Precision.allCases {
                try body(OneDNNBackend(precision: precision), "\(precision) on \(kind)")
            }
        }
    }

    /// Losses per example, and the gradient of their sum.
    @Compute private func run(
        _ form: Form, _ rows: [[Double]], _ targets: [[Double]], on backend: any Backend
    ) throws -> (values: [Double], gradient: [[Double]]) {
        let (batch, classes) = (rows.count, rows[0].count)
        let x = Tensor.input("x", [classes])
        let y = form.isSparse ? Tensor.input("y", .scalar, .int32) : Tensor.input("y", [classes])
        let labels = targets.map { row in Int32(row.firstIndex(of: row.max() ?? 0) ?? 0) }
        let given =
            form.isSparse
            ? TensorValue(labels)
            : try TensorValue(shape: [batch, classes], targets.joined().map(Float.init))
        let values = try form.loss(targets: y, predictions: form.through(x))
        let executable = try backend.compile(
            outputs: [values] + gradient(of: values.sum(), withRespectTo: [x]), mode: .training, batch: batch)
        let results = try executable.run(
            ["x": try TensorValue(shape: [batch, classes], rows.joined().map(Float.init)), "y": given])
        let slopes = results[1].doubles
        return (
            results[0].doubles, (0..<batch).map { Array(slopes[$0 * classes..<($0 + 1) * classes]) }
        )
    }

    /// A loss of logits, which may reach it in other forms.
    struct Form: Sendable, CustomTestStringConvertible {
        let name: String
        let loss: any Loss
        var isSparse = false
        var through: @Sendable (Tensor) throws -> Tensor = { $0 }
        var testDescription: String { name }

        static let crossentropies = [
            Form(name: "sparse", loss: .sparseCategoricalCrossentropy(fromLogits: true), isSparse: true),
            Form(name: "sparse behind softmax", loss: .sparseCategoricalCrossentropy(), isSparse: true) {
                try $0.softmax()
            },
            Form(name: "dense", loss: .categoricalCrossentropy(fromLogits: true)),
            Form(name: "dense behind softmax", loss: .categoricalCrossentropy()) { try $0.softmax() },
            Form(name: "likelihood", loss: .negativeLogLikelihood, isSparse: true) { try $0.logSoftmax() },
        ]
    }

    /// Numbers of Golden/make_sure_losses.py.
    private struct Golden: Decodable {
        struct Results: Decodable {
            let losses: [Double]
            /// Of class 0, class 1 and the last.
            let gradient: [[Double]]
        }
        struct Sure: Decodable {
            let classes: Int
            let crossentropy, focal: Results
        }
        /// Numbers as text, because they may be infinite or NaN.
        struct Irregular: Decodable {
            let logits: [String]
            let label: Int
            let loss: String
            let gradient: [String]
        }
        struct Binary: Decodable {
            let logits, targets, losses, gradient: [Double]
        }
        let sure: [Sure]
        let irregular: [Irregular]
        let binary: Binary
    }

    private func numbers(_ texts: [String]) throws -> [Double] { try texts.map { try #require(Double($0)) } }

    private func oneHot(_ label: Int, _ classes: Int) -> [Double] {
        (0..<classes).map { $0 == label ? 1 : 0 }
    }

    /// Rows in which class 0 or 1 stands out by a gap, and targets that are this class or the other.
    private func sureRows(_ classes: Int) -> (rows: [[Double]], targets: [[Double]]) {
        var rows: [[Double]] = []
        for gap in stride(from: 0.0, through: 60, by: classes > 100 ? 12 : 3) {
            for sure in [0, 1] {
                var row = (0..<classes).map { -Double(($0 * 13 + sure) % 16) / 16 }
                row[sure] = gap
                rows.append(row)
            }
        }
        return (rows, rows.indices.map { oneHot($0 / 2 % 2, classes) })
    }

    @Test(
        arguments: Form.crossentropies + [
            Form(name: "focal", loss: .categoricalFocalCrossentropy(alpha: 1, fromLogits: true))
        ], [2, 3, 10, 1000])
    @Compute func surePredictions(_ form: Form, _ classes: Int) throws {
        let (rows, targets) = sureRows(classes)
        let record = try #require(
            golden("sure_losses", as: Golden.self).sure.first { $0.classes == classes })
        let expected = form.name == "focal" ? record.focal : record.crossentropy
        #expect(expected.losses.count == rows.count)
        try forEachPath { backend, path in
            let result = try run(form, rows, targets, on: backend)
            for (row, value) in expected.losses.enumerated() {
                let (found, slopes) = (result.values[row], result.gradient[row])
                #expect(
                    abs(found - value) <= Self.tolerance * max(1, value) && found >= 0,
                    "row \(row) is \(found), not \(value), with \(path)")
                // Small slopes have digits too: optimizers divide by what is usual.
                let shown = [slopes[0], slopes[1], slopes[classes - 1]]
                let isRight = zip(shown, expected.gradient[row]).allSatisfy {
                    (found: Double, slope: Double) in
                    abs(found - slope) <= min(Self.tolerance, 4e-6 * abs(slope)) + 1e-13
                }
                // The right class is never pushed down, nor another up.
                let signs = zip(slopes, targets[row]).allSatisfy { $1 == 0 ? $0 >= 0 : $0 <= 0 }
                #expect(
                    isRight && signs,
                    "row \(row) has \(slopes.prefix(2)), not \(expected.gradient[row]), with \(path)")
            }
        }
    }

    /// Logits that are not finite: -∞ masks a class, the others have no loss.
    @Test(
        arguments: Form.crossentropies + [
            Form(name: "focal", loss: .categoricalFocalCrossentropy(alpha: 1, gamma: 0, fromLogits: true)),
            Form(name: "divergence", loss: .klDivergence) { try $0.softmax() },
        ])
    @Compute func irregularLogits(_ form: Form) throws {
        let records = try golden("sure_losses", as: Golden.self).irregular
        let rows = try records.map { try numbers($0.logits) }
        let targets = records.map { oneHot($0.label, $0.logits.count) }
        // The divergence clips targets.
        let tolerance = form.name == "divergence" ? 1e-5 : Self.tolerance
        try forEachPath { backend, path in
            let result = try run(form, rows, targets, on: backend)
            for (row, record) in records.enumerated() {
                let expected = try numbers([record.loss] + record.gradient)
                for (place, (found, expected)) in zip(
                    [result.values[row]] + result.gradient[row], expected
                ).enumerated() {
                    let isRight =
                        expected.isFinite
                        ? abs(found - expected) <= tolerance * max(1, expected)
                        : found == expected || (found.isNaN && expected.isNaN)
                    #expect(
                        isRight,
                        "number \(place) of row \(row) is \(found), not \(expected), with \(path)")
                }
            }
        }
    }

    /// A logit without a value makes its example's loss and gradient NaN, and no other's.
    @Test(arguments: Form.crossentropies, [3, 20])
    @Compute func aRowWithoutSoftmaxIsNaN(_ form: Form, _ classes: Int) throws {
        let (sure, targets) = sureRows(classes)
        try forEachPath { backend, path in
            for (place, number) in [(0, Double.nan), (classes - 1, .nan), (1, .infinity)] {
                var rows = Array(sure[..<3])
                rows[1][place] = number
                let result = try run(form, rows, Array(targets[..<3]), on: backend)
                #expect(
                    result.values.map { $0.isNaN } == [false, true, false],
                    "\(number) at \(place) with \(path)")
                #expect(result.gradient[1].allSatisfy { $0.isNaN }, "\(number) at \(place) with \(path)")
                #expect((result.gradient[0] + result.gradient[2]).allSatisfy { $0.isFinite })
            }
        }
    }

    @Test(arguments: [false, true])
    @Compute func binaryCrossentropyOfSurePredictions(throughSigmoid: Bool) throws {
        let form = Form(name: "binary", loss: .binaryCrossentropy(fromLogits: !throughSigmoid)) {
            throughSigmoid ? try $0.sigmoid() : $0
        }
        let record = try golden("sure_losses", as: Golden.self).binary
        // An infinite logit is sure: of the right answer, or of a wrong one.
        let logits = record.logits + [.infinity, -.infinity, .infinity, -.infinity, .nan]
        let targets = record.targets + [1, 0, 0, 1, 1]
        let losses = record.losses + [0, 0, .infinity, .infinity, .nan]
        let gradient = record.gradient + [0, 0, 1, -1, .nan]
        try forEachPath { backend, path in
            let result = try run(form, logits.map { [$0] }, targets.map { [$0] }, on: backend)
            for (place, (loss, slope)) in zip(losses, gradient).enumerated() {
                let (found, foundSlope) = (result.values[place], result.gradient[place][0])
                let isRight =
                    loss.isFinite
                    ? abs(found - loss) <= Self.tolerance * max(1, loss) && found >= 0
                    : found == loss || (found.isNaN && loss.isNaN)
                let hasRightSlope =
                    slope.isNaN ? foundSlope.isNaN : abs(foundSlope - slope) <= Self.tolerance
                #expect(
                    isRight && hasRightSlope,
                    "logit \(logits[place]), target \(targets[place]): \(found) and \(foundSlope) with \(path)"
                )
            }
        }
    }

    /// The square of a small error must not drown in the logarithm of 2.
    @Test @Compute func logCoshOfSmallErrors() throws {
        let errors = [0, 1e-6, -1e-4, 1e-3, -0.01, 0.1, 0.4999, -0.5001, 0.7, -3, 60]
        try forEachPath { backend, path in
            let result = try run(
                Form(name: "logCosh", loss: .logCosh), errors.map { [$0] }, errors.map { _ in [0] },
                on: backend)
            for (place, error) in errors.enumerated() {
                let value = error == 60 ? 60 - log(2) : log1p(2 * pow(sinh(Double(Float(error)) / 2), 2))
                let found = result.values[place]
                #expect(
                    abs(found - value) <= 2e-6 * value && found >= 0,
                    "\(error): \(found), not \(value), with \(path)")
                #expect(
                    abs(result.gradient[place][0] - tanh(error)) <= 2e-6 * abs(tanh(error)),
                    "\(error): gradient \(result.gradient[place][0]) with \(path)")
            }
        }
    }
}
