import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@Suite struct BindingTests {
    @Test func equalTensorsBecomeOne() throws {
        let x = Tensor.input("x", [3])
        let again = Tensor.input("x", [3])
        let graph = try BoundGraph(
            outputs: [x.exp() + x.exp(), again.exp() * 2, x.exp() * 2], mode: .training, batch: 2)
        let order = topologicalOrder(of: graph.roots)
        #expect(order.count { $0.operation == .unary(.exp) } == 1)
        #expect(order.count { $0.operation == .binary(.multiply) } == 1)
        #expect(graph.outputs[1] == graph.outputs[2])
        #expect(try graph.inputs() == ["x": TensorType([2, 3], .float32)])
    }

    @Test @Compute func constantsThatDifferInBitsStayApart() throws {
        let zeros = [Tensor.constant(0), .constant(-0.0)]
        let values = try evaluate(zeros.map { try 1 / $0 })
        #expect(values.map(\.scalar) == [.infinity, -.infinity])
        #expect(try evaluate([.constant(0), .constant(0, .int32)]).map(\.dtype) == [.float32, .int32])
    }

    @Test func oneNameOfTwoTypesIsRefused() throws {
        let tensors = [Tensor.input("x", [3]), .input("x", [4])]
        let graph = try BoundGraph(outputs: tensors, mode: .training, batch: 2)
        let error = #expect(throws: ShapeError.self) { try graph.inputs() }
        #expect(error?.shapes.count == 2)
    }

    /// Negation does not throw when it is written; binding applies its shape rule.
    @Test func everyRuleIsAppliedAgain() {
        let negated = Tensor.argument("x", [2], .bool).negated()
        let error = #expect(throws: ShapeError.self) {
            try BoundGraph(outputs: [negated], mode: .training, batch: 1)
        }
        #expect(error?.operation == "negate")
    }

    @Test @Compute func modeChoosesTheBranch() throws {
        let x = Tensor.input("x", [2])
        let y = try Tensor.select(.isTraining, x * 2, x + 100)
        let slope = try gradient(of: y.sum(), withRespectTo: [x])[0]
        let value = try TensorValue(shape: [1, 2], [1, 2])
        for (mode, expected) in [(Mode.training, [2, 4, 2, 2]), (.inference, [101, 102, 1, 1])]
            as [(Mode, [Float])]
        {
            let executable = try ReferenceBackend().compile(outputs: [y, slope, .isTraining], mode: mode)
            let results = try executable.run(["x": value])
            #expect(results[0].floats + results[1].floats == expected)
            #expect(results[2].storage == .bool([mode == .training]))
        }
    }

    @Test func variablesAreFoundOnce() throws {
        let variables = (0..<3).map { Variable(name: "v\($0)", initial: TensorValue(Float($0))) }
        let sum = try Tensor(variables[0]) + Tensor(variables[1]) + Tensor(variables[0])
        let graph = try BoundGraph(
            outputs: [sum], updates: [Update(variables[2], to: sum), Update(variables[0], to: sum)],
            mode: .training,
            batch: 1)
        #expect(Set(graph.variables) == Set(variables))
        #expect(graph.variables.count == 3)
    }

    @Test @Compute func updatesSeeOldValues() throws {
        let (a, b) = (
            Variable(name: "a", initial: TensorValue(1)), Variable(name: "b", initial: TensorValue(2))
        )
        let executable = try ReferenceBackend().compile(
            outputs: [Tensor(a), Tensor(b)],
            updates: [Update(a, to: Tensor(b)), Update(b, to: Tensor(a) + Tensor(b))], mode: .training)
        // Fibonacci's numbers, if both are set from what both were.
        var pairs: [[Float]] = []
        for _ in 0..<4 { pairs.append(try executable.run().map(\.scalar)) }
        #expect(pairs == [[1, 2], [2, 3], [3, 5], [5, 8]])
        #expect(try a.value() == TensorValue(8))
        #expect(try b.value() == TensorValue(13))
    }

    @Test @Compute func assignmentIsSeenByTheNextRun() throws {
        let v = Variable(name: "v", initial: TensorValue([1, Float(2)]))
        let executable = try ReferenceBackend().compile(outputs: [Tensor(v) * 2], mode: .inference)
        try v.assign(TensorValue([3, Float(4)]))
        #expect(try executable.run()[0].floats == [6, 8])
        for wrong in [TensorValue([1, 2, Float(3)]), TensorValue([1, Int32(2)])] {
            let error = #expect(throws: ShapeError.self) { try v.assign(wrong) }
            #expect(error?.description.contains("'v'") == true)
        }
        #expect(try v.value().floats == [3, 4])
    }
}

@Suite struct RunErrorTests {
    @Compute private func sum() throws -> any Executable {
        let outputs = [try Tensor.input("x", [2]) + .argument("bias", [2])]
        return try ReferenceBackend().compile(outputs: outputs, mode: .inference, batch: 3)
    }

    @Test @Compute func unknownInput() throws {
        let error = #expect(throws: RunError.self) { try sum().run(["y": TensorValue(1)]) }
        #expect(error == .unknownInput("y", known: ["bias", "x"]))
    }

    @Test @Compute func missingInput() throws {
        let executable = try sum()
        #expect(throws: RunError.missingInput("x")) {
            try executable.run(["bias": TensorValue([1, Float(2)])])
        }
        // What was given stays.
        let x = TensorValue(repeating: 1, shape: [3, 2])
        #expect(try executable.run(["x": x])[0].floats == [2, 3, 2, 3, 2, 3])
        #expect(try executable.run()[0].floats == [2, 3, 2, 3, 2, 3])
    }

    @Test @Compute func wrongType() throws {
        let executable = try sum()
        let wrong = [
            TensorValue(repeating: 1, shape: [2, 2]), TensorValue(repeating: 1, shape: [3, 2, 1]),
            try TensorValue(shape: [3, 2], storage: .int32([1, 2, 3, 4, 5, 6])),
        ]
        for value in wrong {
            let error = #expect(throws: RunError.self) { try executable.run(["x": value]) }
            let received = TensorType(value.shape, value.dtype)
            #expect(
                error == .wrongType(input: "x", expected: TensorType([3, 2], .float32), received: received))
            #expect(error?.description.contains("\(received)") == true)
        }
    }

    @Test @Compute func outputsExistAfterARunOnly() throws {
        let executable = try ReferenceBackend().compile(
            outputs: [.constant(1), .constant(2)], mode: .inference)
        #expect(throws: RunError.noOutput(0, count: 2)) { try executable.output(0) }
        try executable.run(step: 0, seed: 0)
        #expect(try executable.output(1).value() == TensorValue(2))
        for index in [-1, 2] {
            #expect(throws: RunError.noOutput(index, count: 2)) { try executable.output(index) }
        }
    }

    @Test @Compute func failingFillLeavesTheInputUnset() throws {
        struct Failure: Error {}
        let executable = try ReferenceBackend().compile(outputs: [.argument("x", [2])], mode: .inference)
        #expect(throws: Failure.self) { try executable.setInput("x") { _ in throw Failure() } }
        #expect(throws: RunError.missingInput("x")) { try executable.run(step: 0, seed: 0) }
        try executable.setInput("x") { bytes in
            #expect(bytes.count == 8)
            bytes.storeBytes(of: Float(5), toByteOffset: 4, as: Float.self)
        }
        #expect(try executable.run()[0].floats == [0, 5])
    }
}
