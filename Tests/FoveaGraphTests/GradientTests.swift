import Foundation
import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

/// The values of tensors, given those of the inputs that they depend on and perhaps of others.
@Compute
func evaluate(_ outputs: [Tensor], _ values: [String: TensorValue] = [:], batch: Int = 1) throws
    -> [TensorValue]
{
    let executable = try ReferenceBackend().compile(outputs: outputs, mode: .training, batch: batch)
    return try executable.run(values.filter { executable.inputs[$0.key] != nil })
}

@Suite struct GradientTests {
    @Test @Compute func addsTheUsesOfATensor() throws {
        let x = Tensor.argument("x", [2])
        // d/dx (x·x + x·sin x) = 2x + sin x + x cos x
        let y = try (x * x + x * x.unary(.sin)).sum()
        let slope = try evaluate(gradient(of: y, withRespectTo: [x]), ["x": TensorValue([1, Float(-2)])])[0]
        let expected = [1.0, -2.0].map { Float(2 * $0 + sin($0) + $0 * cos($0)) }
        expectClose(slope, TensorValue(expected))
    }

    /// Each step doubles the paths from start to end, so that a rule that follows paths would never finish.
    @Test @Compute func followsDiamondsOnce() throws {
        let x = Tensor.argument("x")
        var y = x
        for _ in 0..<60 { y = try y * 0.5 + y * 0.5 }
        let slope = try gradient(of: y, withRespectTo: [x])
        #expect(topologicalOrder(of: slope).count < 2000)
        #expect(try evaluate(slope, ["x": TensorValue(3)])[0] == TensorValue(1))
    }

    /// ReLUs that pass back what is positive only, and products without a gradient.
    @Test @Compute func followsAnotherRuleWhereThereIsOne() throws {
        let x = Tensor.argument("x", [4])
        let weights = Tensor.constant(TensorValue([2, -3, 4, Float(5)]))
        let y = try (x.relu() * weights).sum()
        let values = ["x": TensorValue([1, 1, -1, Float(2)])]
        let plain = try evaluate(gradient(of: y, withRespectTo: [x]), values)[0]
        #expect(plain == TensorValue([2, -3, 0, Float(5)]))
        let guided = try gradient(of: y, withRespectTo: [x]) { tensor, upstream in
            guard case .unary(.relu) = tensor.operation else { return nil }
            return try tensor.operation.rule.gradients(
                inputs: tensor.inputs, output: tensor, upstream: upstream.relu())
        }
        #expect(try evaluate(guided, values)[0] == TensorValue([2, 0, 0, Float(5)]))
        let none = try gradient(of: y, withRespectTo: [x]) { tensor, _ in
            if case .binary(.multiply) = tensor.operation { [nil, nil] } else { nil }
        }
        #expect(try evaluate(none, values)[0] == TensorValue([0, 0, 0, Float(0)]))
        #expect(throws: GradientError.self) {
            try gradient(of: y, withRespectTo: [x]) { tensor, upstream in
                if case .binary(.multiply) = tensor.operation { [upstream] } else { nil }
            }
        }
    }

    @Test @Compute func variableReadByTwoNodesIsOne() throws {
        let variable = Variable(name: "w", initial: TensorValue([2, Float(3)]))
        let y = try (Tensor(variable) * Tensor(variable)).sum()
        for wanted in [Tensor(variable), y.inputs[0].inputs[0], y.inputs[0].inputs[1]] {
            #expect(try evaluate(gradient(of: y, withRespectTo: [wanted]))[0] == TensorValue([4, Float(6)]))
        }
    }

    @Test @Compute func variablesOfOneNameAreTwo() throws {
        let variables = [2, 3].map { Variable(name: "w", initial: TensorValue([Float($0)])) }
        let y = try (Tensor(variables[0]) * Tensor(variables[1])).sum()
        let slopes = try evaluate(gradient(of: y, withRespectTo: variables.map { Tensor($0) }))
        #expect(slopes == [TensorValue([Float(3)]), TensorValue([Float(2)])])
    }

    @Test @Compute func reachesTensorsBetween() throws {
        let x = Tensor.argument("x", [2])
        let middle = try x * 3
        let y = try (middle * middle).sum()
        let slopes = try gradient(of: y, withRespectTo: [y, middle, x, middle])
        let values = try evaluate(slopes, ["x": TensorValue([1, Float(-1)])])
        #expect(values[0] == TensorValue(1))
        #expect(values[1] == TensorValue([6, Float(-6)]))
        #expect(values[2] == TensorValue([18, Float(-18)]))
        #expect(values[3] == values[1])
    }

    @Test @Compute func unusedTensorHasGradientZero() throws {
        let (x, unused) = (Tensor.argument("x", [3]), Tensor.argument("unused", [2, 2]))
        let labels = Tensor.argument("labels", [3], .int32)
        let y = try (x * labels.cast(to: .float32)).sum()
        let slopes = try gradient(of: y, withRespectTo: [unused, labels, x])
        let values = try evaluate(
            slopes, ["labels": TensorValue([1, 2, Int32(3)])])
        #expect(values[0] == TensorValue(repeating: 0, shape: [2, 2]))
        #expect(values[1] == TensorValue([0, 0, Int32(0)]))
        #expect(values[2] == TensorValue([1, 2, Float(3)]))
    }

    @Test @Compute func stopsAtRoundingAndComparing() throws {
        let x = Tensor.argument("x", [2])
        let steps = [
            try x.unary(.floor), try x.unary(.sign), x.cast(to: .int32).cast(to: .float32),
            try x.greaterOrEqual(0).cast(to: .float32), try x.argMax().oneHot(depth: 2),
        ]
        for step in steps {
            let slope = try gradient(of: step.sum(), withRespectTo: [x])[0]
            #expect(
                try evaluate([slope], ["x": TensorValue([0.3, Float(0.6)])])[0] == TensorValue([0, Float(0)]))
        }
    }

    @Test func onlyAFloatScalarHasAGradient() throws {
        let x = Tensor.argument("x", [3])
        let tensors = [
            x, try x.sum().cast(to: .int32), try x.sum().cast(to: .bfloat16), .input("batch", []),
            try x.sliced(starts: [0], extents: [2]),
        ]
        for tensor in tensors {
            let error = #expect(throws: GradientError.self) { try gradient(of: tensor, withRespectTo: [x]) }
            #expect(error?.description.contains("\(tensor.node.type)") == true)
        }
        #expect(throws: Never.self) { try gradient(of: x.sum().reshaped(to: [1, 1]), withRespectTo: [x]) }
    }

    @Test func concatenationAlongTheBatchHasNone() throws {
        let x = Tensor.input("x", [3])
        let y = try Tensor.concatenate([x, x], axis: 0).sum()
        #expect(throws: GradientError.self) { try gradient(of: y, withRespectTo: [x]) }
    }

    /// Ties: a maximum goes to the first of two operands, a reduction shares it, pooling gives it to the first element.
    @Test @Compute func tiesAreBrokenAsDocumented() throws {
        let (a, b) = (Tensor.argument("a", [1, 1, 2, 1]), Tensor.argument("b", [1, 1, 2, 1]))
        let same = try TensorValue(shape: [1, 1, 2, 1], [5, 5])
        func slopes(_ y: Tensor) throws -> [[Float]] {
            try evaluate(gradient(of: y.sum(), withRespectTo: [a, b]), ["a": same, "b": same]).map(\.floats)
        }
        #expect(try slopes(.maximum(a, b)) == [[1, 1], [0, 0]])
        #expect(try slopes(.minimum(a, b)) == [[1, 1], [0, 0]])
        #expect(try slopes(a.max()) == [[0.5, 0.5], [0, 0]])
        #expect(try slopes(a.maxPooled(SlidingWindow([1, 2], strides: 1))) == [[1, 0], [0, 0]])
    }

    @Test @Compute func reluAtZeroIsFlat() throws {
        let x = Tensor.argument("x", [3])
        let slope = try gradient(of: x.relu().sum(), withRespectTo: [x])
        #expect(try evaluate(slope, ["x": TensorValue([0, -0.0, Float(1)])])[0].floats == [0, 0, 1])
    }

    @Test @Compute func powerOfZeroHasAFiniteGradient() throws {
        let (x, p) = (Tensor.argument("x", [2]), Tensor.argument("p", [2]))
        let slopes = try gradient(of: x.raised(to: p).sum(), withRespectTo: [x, p])
        let values = try evaluate(
            slopes, ["x": TensorValue([0, Float(2)]), "p": TensorValue([3, Float(3)])])
        #expect(values[0].floats == [0, 12])
        expectClose(values[1], TensorValue([0, 8 * log(2)]))
    }

    /// A term of a loss that compares all pairs of a batch has two batch axes.
    @Test @Compute func passesTensorsWithTwoBatchAxes() throws {
        let x = Tensor.input("x", [2])
        let pairs = try Tensor.matmul(x, x, transposeB: true).reshaped(to: [Shape.batch, Shape.batch, 1])
        let y = try (pairs * pairs).max(axes: [2]).sum()
        let slope = try gradient(of: y, withRespectTo: [x])[0]
        #expect(slope.shape == x.shape)
        // y = Σᵢⱼ (xᵢ·xⱼ)², dy/dxᵢ = 4 Σⱼ (xᵢ·xⱼ) xⱼ
        let value = try TensorValue(shape: [2, 2], [1, 2, 3, -1])
        expectClose(
            try evaluate([slope], ["x": value], batch: 2)[0],
            try TensorValue(shape: [2, 2], [32, 36, 124, -32]))
    }

    @Test @Compute func meanOverTheBatchDividesByItsSize() throws {
        let x = Tensor.input("x", [2])
        let y = try (x * x).mean()
        let tensors = [y] + (try gradient(of: y, withRespectTo: [x]))
        for batch in [1, 2, 5] {
            let elements = (0..<(2 * batch)).map { Float($0) - 1.5 }
            let value = try TensorValue(shape: [batch, 2], elements)
            let results = try evaluate(tensors, ["x": value], batch: batch)
            let count = Float(2 * batch)
            expectClose(results[0], TensorValue(elements.reduce(0) { $0 + $1 * $1 } / count))
            expectClose(results[1], try TensorValue(shape: value.shape, elements.map { 2 * $0 / count }))
        }
    }

    /// One more derivative each: e^x stays, sin runs in a circle.
    @Test @Compute func differentiatesAgainAndAgain() throws {
        let x = Tensor.argument("x")
        var (exponential, sine) = (try x.exp(), try x.unary(.sin))
        for _ in 0..<4 {
            exponential = try gradient(of: exponential, withRespectTo: [x])[0]
            sine = try gradient(of: sine, withRespectTo: [x])[0]
        }
        let values = try evaluate([exponential, sine, x.exp(), x.unary(.sin)], ["x": TensorValue(0.7)])
        expectClose(values[0], values[2])
        expectClose(values[1], values[3])
    }
}
