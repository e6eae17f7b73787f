import Foundation
import FoveaGraph
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Losses and gradients against the same formulas in `Double`.
struct LossTests {
    /// Per-example losses, and the gradient of their mean with respect to the predictions.
    private func evaluate(
        _ loss: any Loss, _ targets: TensorValue, _ predictions: TensorValue,
        through: (Tensor) throws -> Tensor = { $0 }
    ) async throws -> (values: TensorValue, gradient: [Float]) {
        let batch = predictions.shape[0]
        let y = Tensor.input("y", Shape(Array(targets.shape.dimensions.dropFirst())), targets.dtype)
        let x = Tensor.input("x", Shape(Array(predictions.shape.dimensions.dropFirst())))
        let values = try loss(targets: y, predictions: through(x))
        let gradient = try gradient(of: values.mean(), withRespectTo: [x])
        let results = try await outputs(
            of: [values] + gradient, ["x": predictions, "y": targets], batch: batch)
        #expect(results[0].shape == [batch])
        return (results[0], results[1].floats)
    }

    private func softmax(_ row: [Double]) -> [Double] {
        let largest = row.max() ?? 0
        let powers = row.map { exp($0 - largest) }
        return powers.map { $0 / powers.reduce(0, +) }
    }

    private static let logits: [[Double]] = [
        [1.5, -2, 0.25], [100, -100, 0], [-100, 100, 100], [0, 0, 0],
    ]
    private static let labels = [2, 1, 0, 1]

    @Test(arguments: [false, true])
    func sparseFromLogits(throughSoftmax: Bool) async throws {
        let rows = Self.logits
        // Out of a softmax the loss must not know the difference: -100 against 100 costs 200, not log 1e-7.
        let result = try await evaluate(
            .sparseCategoricalCrossentropy(fromLogits: !throughSoftmax),
            TensorValue(Self.labels.map(Int32.init)),
            TensorValue(shape: [4, 3], rows.flatMap { $0 }.map(Float.init)),
            through: { throughSoftmax ? try $0.softmax() : $0 })
        let expected = zip(rows, Self.labels).map { row, label -> Double in
            let largest = row.max() ?? 0
            return largest + log(row.reduce(0) { $0 + exp($1 - largest) }) - row[label]
        }
        let gradient = zip(rows, Self.labels).flatMap { row, label in
            softmax(row).enumerated().map { ($0.element - ($0.offset == label ? 1 : 0)) / 4 }
        }
        expectClose(result.values.floats, expected, 1e-6)
        expectClose(result.gradient, gradient, 1e-6)
    }

    @Test func denseAgreesWithSparseOnOneHotRows() async throws {
        let x = try TensorValue(shape: [4, 3], Self.logits.flatMap { $0 }.map(Float.init))
        let oneHot = Self.labels.flatMap { label in (0..<3).map { Float($0 == label ? 1 : 0) } }
        let sparse = try await evaluate(
            .sparseCategoricalCrossentropy(fromLogits: true), TensorValue(Self.labels.map(Int32.init)), x)
        let dense = try await evaluate(
            .categoricalCrossentropy(fromLogits: true), TensorValue(shape: [4, 3], oneHot), x)
        expectClose(dense.values.floats, sparse.values.doubles, 1e-6)
        expectClose(dense.gradient, sparse.gradient.map(Double.init), 1e-6)
    }

    @Test func probabilitiesOfZeroAndOneAreClipped() async throws {
        let high = Double(Float(1 - 1e-7))
        let clip = { (p: Double) in min(max(p, 1e-7), high) }
        let p: [[Double]] = [[1, 0], [0, 1], [0.75, 0.25]]
        let x = try TensorValue(shape: [3, 2], p.flatMap { $0 }.map(Float.init))

        let sparse = try await evaluate(
            .sparseCategoricalCrossentropy(), TensorValue([0, 0, 1] as [Int32]), x)
        let expected = zip(p, [0, 0, 1]).map { row, label in
            -log(clip(row[label]) / (clip(row[0]) + clip(row[1])))
        }
        expectClose(sparse.values.floats, expected, 1e-6)
        expectClose(sparse.gradient, [0, 0, 0, 0, 1 / 3.0, -1.0], 1e-6)

        let binary = try await evaluate(
            .binaryCrossentropy(), TensorValue(shape: [3, 2], [1, 0, 1, 0, 1, 1]), x)
        let binaryExpected = [-log(high), (-log(1e-7) - log(1 - high)) / 2, -(log(0.75) + log(0.25)) / 2]
        expectClose(binary.values.floats, binaryExpected, 1e-6)
        expectClose(binary.gradient, [0, 0, 0, 0, -1 / (0.75 * 6), -1 / (0.25 * 6)], 1e-6)
        #expect(binary.values.floats[0] > 0)
    }

    @Test func unnormalizedProbabilitiesAreDividedByTheirSum() async throws {
        let result = try await evaluate(
            .categoricalCrossentropy(), TensorValue(shape: [1, 3], [0, 1, 0]),
            TensorValue(shape: [1, 3], [1, 2, 5]))
        expectClose(result.values.floats, [-log(0.25)], 1e-6)
        expectClose(result.gradient, [1 / 8.0, 1 / 8.0 - 1 / 2.0, 1 / 8.0], 1e-6)
    }

    @Test(arguments: [false, true])
    func binaryFromLogits(throughSigmoid: Bool) async throws {
        let x: [Double] = [0, 0, 100, -100, 100, -100, 0.5, -3]
        let t: [Double] = [0, 1, 1, 0, 0, 1, 0.25, 0.75]
        let result = try await evaluate(
            .binaryCrossentropy(fromLogits: !throughSigmoid), TensorValue(shape: [4, 2], t.map(Float.init)),
            TensorValue(shape: [4, 2], x.map(Float.init)), through: { throughSigmoid ? try $0.sigmoid() : $0 }
        )
        let each = zip(x, t).map { x, t -> Double in max(x, 0) - x * t + log1p(exp(-abs(x))) }
        let perExample = stride(from: 0, to: 8, by: 2).map { (each[$0] + each[$0 + 1]) / 2 }
        expectClose(result.values.floats, perExample, 1e-6)
        let gradient = zip(x, t).map { x, t -> Double in (1 / (1 + exp(-x)) - t) / 8 }
        expectClose(result.gradient, gradient, 1e-6)
    }

    @Test func binaryLabelSmoothing() async throws {
        let result = try await evaluate(
            .binaryCrossentropy(fromLogits: true, labelSmoothing: 0.2), TensorValue([1, 0] as [Float]),
            TensorValue(shape: [2, 1], [2, -1]))
        let loss = { (x: Double, t: Double) -> Double in max(x, 0) - x * t + log1p(exp(-abs(x))) }
        expectClose(result.values.floats, [loss(2, 0.9), loss(-1, 0.1)], 1e-6)
    }

    @Test func meanSquaredError() async throws {
        let result = try await evaluate(
            .meanSquaredError, TensorValue(shape: [2, 1, 3], [0, 1, 2, 3, 4, 5]),
            TensorValue(shape: [2, 1, 3], [1, 1, 4, 3, 3.5, 5]))
        expectClose(result.values.floats, [5 / 3.0, 0.25 / 3], 1e-6)
        expectClose(result.gradient, [1 / 3.0, 0, 2 / 3.0, 0, -0.5 / 3, 0], 1e-6)
    }

    @Test func severalPlacesOfOneExampleAreAveraged() async throws {
        let result = try await evaluate(
            .sparseCategoricalCrossentropy(fromLogits: true),
            TensorValue(shape: [2, 3], storage: .int32([0, 1, 0, 1, 1, 1])),
            TensorValue(shape: [2, 3, 2], [Float](repeating: 0, count: 12)))
        expectClose(result.values.floats, [log(2), log(2)], 1e-6)
    }

    @Test func aSoftmaxOverAnotherAxisGivesNoLogits() async throws {
        let x: [Float] = [1, 5, 2, 0, 3, -1]
        let result = try await evaluate(
            .sparseCategoricalCrossentropy(), TensorValue(shape: [1, 2], storage: .int32([0, 2])),
            TensorValue(shape: [1, 2, 3], x), through: { try $0.softmax(axis: 1) })
        // Probabilities of a column sum to 1, those of a row are divided by their sum.
        let p = (0..<6).map { i -> Double in
            exp(Double(x[i])) / (exp(Double(x[i % 3])) + exp(Double(x[i % 3 + 3])))
        }
        let first = -log(p[0] / (p[0] + p[1] + p[2]))
        let second = -log(p[5] / (p[3] + p[4] + p[5]))
        expectClose(result.values.floats, [(first + second) / 2], 1e-6)
    }

    @Test func labelsMayHaveATrailingAxisAndBeBytes() async throws {
        let x = try TensorValue(shape: [2, 3], [1, 2, 3, 3, 2, 1])
        let flat = try await evaluate(
            .sparseCategoricalCrossentropy(fromLogits: true), TensorValue([2, 1] as [Int32]), x)
        let column = try await evaluate(
            .sparseCategoricalCrossentropy(fromLogits: true),
            TensorValue(shape: [2, 1], storage: .uint8([2, 1])), x)
        #expect(flat.values == column.values)
        #expect(flat.gradient == column.gradient)
    }

    @Test(
        arguments: [
            (.sparseCategoricalCrossentropy(), Shape([3]), .int32),
            (.sparseCategoricalCrossentropy(), .scalar, .float32),
            (.categoricalCrossentropy(), .scalar, .float32),
            (.categoricalCrossentropy(), Shape([4]), .float32),
            (.binaryCrossentropy(), Shape([2]), .float32),
            (.meanSquaredError, Shape([3, 1]), .float32),
            (.negativeLogLikelihood, Shape([3]), .float32),
            (.klDivergence, .scalar, .float32),
            (.cosineSimilarity, Shape([2]), .float32),
            (.hinge, Shape([4]), .float32),
            (.categoricalHinge, .scalar, .int32),
            (.huber(), Shape([2]), .float32),
            (.logCosh, Shape([2]), .float32),
            (.poisson, Shape([2]), .float32),
            (.categoricalFocalCrossentropy(), Shape([2]), .float32),
            (.binaryFocalCrossentropy(), Shape([2]), .float32), (.dice, Shape([2]), .float32),
            (.tversky(), .scalar, .float32), (.meanAbsolutePercentageError, Shape([2]), .float32),
            (.meanSquaredLogarithmicError, Shape([4]), .float32),
            (.sparseCategoricalCrossentropy(ignoreClass: 255), Shape([3]), .int32),
        ] as [(any Loss, Shape, DType)])
    func shapeErrorsNameTheShapes(_ loss: any Loss, _ targets: Shape, _ dtype: DType) throws {
        let y = Tensor.input("y", targets, dtype)
        let x = Tensor.input("x", [3])
        let error = try #require(throws: ShapeError.self) { try loss(targets: y, predictions: x) }
        #expect(error.operation == loss.name)
        #expect(error.description.contains("\(y.shape)") && error.description.contains("[batch, 3]"))
    }

    @Test(arguments: [-0.1, 1.5, .nan]) func labelSmoothingOutOfRange(_ smoothing: Double) {
        let (y, x) = (Tensor.input("y", [3]), Tensor.input("x", [3]))
        let losses: [any Loss] = [
            .categoricalCrossentropy(labelSmoothing: smoothing),
            .binaryCrossentropy(labelSmoothing: smoothing),
            .categoricalFocalCrossentropy(labelSmoothing: smoothing),
            .binaryFocalCrossentropy(labelSmoothing: smoothing),
        ]
        for loss in losses {
            #expect(throws: TrainingError.self) { try loss(targets: y, predictions: x) }
        }
    }

    // MARK: Settings

    @Test(
        arguments: [
            .huber(delta: 0), .huber(delta: -1), .huber(delta: .nan), .huber(delta: .infinity),
            .binaryFocalCrossentropy(alpha: 1.5), .binaryFocalCrossentropy(gamma: -1),
            .categoricalFocalCrossentropy(alpha: -0.1), .categoricalFocalCrossentropy(gamma: .infinity),
            .tversky(alpha: -1), .tversky(beta: .nan), .sparseCategoricalCrossentropy(ignoreClass: .max),
        ] as [any Loss])
    func settingsOutOfRange(_ loss: any Loss) {
        let isSparse = loss.targetKind != .probabilities && loss is SparseCategoricalCrossentropy
        let y = Tensor.input("y", isSparse ? .scalar : [3], isSparse ? .int32 : .float32)
        let x = Tensor.input("x", [3])
        #expect(throws: TrainingError.self) { try loss(targets: y, predictions: x) }
    }

    // MARK: Ignored classes, regions

    @Test func ignoredPlacesAddNothing() async throws {
        let x: [Float] = [1, -2, 0.5, 3, 0, -1, 2, 2, 0, .infinity, 1, 0]
        let targets = try TensorValue(shape: [2, 2], storage: .int32([0, 255, 2, 255]))
        let result = try await evaluate(
            .sparseCategoricalCrossentropy(fromLogits: true, ignoreClass: 255), targets,
            TensorValue(shape: [2, 2, 3], Array(x.dropLast(3)) + [50, 1, 0]))
        let plain = try await evaluate(
            .sparseCategoricalCrossentropy(fromLogits: true), TensorValue([0, 2] as [Int32]),
            TensorValue(shape: [2, 3], [1, -2, 0.5, 2, 2, 0]))
        expectClose(result.values.floats, plain.values.doubles, 1e-6)
        let slopes = result.gradient
        expectClose(Array(slopes[0..<3]) + slopes[6..<9], plain.gradient.map(Double.init), 1e-6)
        #expect(slopes[3..<6].allSatisfy { $0 == 0 } && slopes[9..<12].allSatisfy { $0 == 0 })
        let none = try await evaluate(
            .sparseCategoricalCrossentropy(fromLogits: true, labelSmoothing: 0.1, ignoreClass: 1),
            TensorValue([1, 1] as [Int32]), TensorValue(shape: [2, 3], [1, -2, 0.5, 2, 2, 0]))
        #expect(none.values.floats == [0, 0] && none.gradient.allSatisfy { $0 == 0 })
    }

    @Test func regionsThatAreRightWrongOrEmpty() async throws {
        let t = try TensorValue(shape: [4, 2, 2], [1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
        let p = try TensorValue(shape: [4, 2, 2], [1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0.5, 0, 0, 0.25])
        let dice = try await evaluate(.dice, t, p)
        expectClose(dice.values.floats, [0, 1, 1, 3 / 7.0], 1e-6)
        let tversky = try await evaluate(.tversky(alpha: 0.5, beta: 0.5), t, p)
        expectClose(tversky.values.floats, [0, 1, 1, 3 / 7.0], 1e-6)
        // α weighs what is missed, β what is found where nothing is.
        let missed = try await evaluate(.tversky(alpha: 1, beta: 0), t, p)
        expectClose(missed.values.floats, [0, 1, 1, 0.5], 1e-6)
        #expect(dice.gradient.allSatisfy { $0.isFinite })
    }

    @Test func relativeErrorsAtTheirEnds() async throws {
        let t = try TensorValue(shape: [1, 3], [0, 2, -4])
        let share = try await evaluate(
            .meanAbsolutePercentageError, t, TensorValue(shape: [1, 3], [0, 3, -3]))
        expectClose(share.values.floats, [(0 + 50 + 25) / 3.0], 1e-6)
        #expect(share.gradient[0] == 0)
        let logarithmic = try await evaluate(
            .meanSquaredLogarithmicError, t, TensorValue(shape: [1, 3], [-5, 1, 0]))
        expectClose(logarithmic.values.floats, [pow(log(1.5), 2) / 3], 1e-6)
        #expect(logarithmic.gradient[0] == 0 && logarithmic.gradient[2] == 0)
    }

    @Test func aFocalLossWithoutFocusIsTheCrossentropy() async throws {
        let t = try TensorValue(shape: [2, 3], [0, 1, 0, 0.5, 0.25, 0.25])
        let x = try TensorValue(shape: [2, 3], [1, -2, 60, 0, 0, -60])
        let plain = try await evaluate(.categoricalCrossentropy(fromLogits: true), t, x)
        let focal = try await evaluate(
            .categoricalFocalCrossentropy(alpha: 1, gamma: 0, fromLogits: true), t, x)
        expectClose(focal.values.floats, plain.values.doubles, 1e-6)
        expectClose(focal.gradient, plain.gradient.map(Double.init), 1e-6)
    }

    /// Far from the decision the losses must stay finite and keep a gradient where the answer is wrong.
    @Test func focalLossesOfExtremeLogits() async throws {
        let x: [Double] = [200, -200, 200, -200]
        let t: [Double] = [1, 1, 0, 0]
        for gamma in [0.5, 1, 2] {
            let result = try await evaluate(
                .binaryFocalCrossentropy(gamma: gamma, fromLogits: true),
                TensorValue(t.map(Float.init)), TensorValue(shape: [4, 1], x.map(Float.init)))
            expectClose(result.values.floats, [0, 200, 200, 0], 1e-6)
            expectClose(result.gradient, [0, -0.25, 0.25, 0], 1e-6)
        }
        let rows = try await evaluate(
            .categoricalFocalCrossentropy(alpha: 0.5, gamma: 0.5, fromLogits: true),
            TensorValue(shape: [2, 2], [1, 0, 0, 1]), TensorValue(shape: [2, 2], [200, 0, 200, 0]))
        expectClose(rows.values.floats, [0, 100], 1e-6)
        expectClose(rows.gradient, [0, 0, 0.25, -0.25], 1e-6)
    }

    @Test func lossesOfNumbersAtTheirCornersAndFarAway() async throws {
        let t = try TensorValue(shape: [1, 4], [0, 0, 0, 0])
        let p = try TensorValue(shape: [1, 4], [0, 1, -1000, 1e18])
        let absolute = try await evaluate(.meanAbsoluteError, t, p)
        #expect(absolute.gradient == [0, 0.25, -0.25, 0.25])
        let huber = try await evaluate(.huber(delta: 1), t, p)
        #expect(huber.gradient == [0, 0.25, -0.25, 0.25])
        let logCosh = try await evaluate(.logCosh, t, p)
        expectClose(logCosh.gradient, [0, tanh(1) / 4, -0.25, 0.25], 1e-6)
        #expect(logCosh.values.floats == [2.5e17])
        let cosine = try await evaluate(.cosineSimilarity, t, p)
        #expect(cosine.values.floats == [0] && cosine.gradient == [0, 0, 0, 0])
        let reversed = try await evaluate(.cosineSimilarity, p, t)
        #expect(reversed.values.floats == [0] && reversed.gradient.allSatisfy(\.isFinite))
    }

    @Test func anImpossibleClassCostsInfinitelyMuchOnlyAsTheLabel() async throws {
        let x = try TensorValue(shape: [2, 2], [0, -.infinity, 0, -.infinity])
        let result = try await evaluate(.negativeLogLikelihood, TensorValue([0, 1] as [Int32]), x)
        #expect(result.values.floats == [0, .infinity])
        #expect(result.gradient == [-0.5, 0, 0, -0.5])
    }

    @Test func divergenceOfASoftmaxIsNotClipped() async throws {
        let result = try await evaluate(
            .klDivergence, TensorValue(shape: [1, 2], [0, 1]), TensorValue(shape: [1, 2], [100, 0]),
            through: { try $0.softmax() })
        expectClose(result.values.floats, [100], 1e-6)
        expectClose(result.gradient, [1, -1], 1e-6)
    }
}
