import FoveaGraph
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaPlanner

/// What layers attach to their outputs: updates of their own variables and terms of the loss.
@Suite struct AttachmentTests {
    private func scalar(_ name: String, _ value: Float) -> Variable {
        Variable(name: name, initial: TensorValue(value))
    }

    @Compute
    private func run(_ outputs: [Tensor], updates: [Update] = [], mode: Mode) throws -> [TensorValue] {
        let executable = try ReferenceBackend().compile(
            outputs: outputs, updates: updates, mode: mode, batch: 1)
        return try executable.run(["x": TensorValue(shape: [1, 2], [3, 5])])
    }

    @Test @Compute func updatesHappenInTrainingOnly() throws {
        let variable = scalar("v", 10)
        let x = Tensor.input("x", [2])
        let y = try (x * 2).updating(variable, to: Tensor(variable) + x.sum())
        #expect(try run([y], mode: .inference)[0].floats == [6, 10])
        #expect(try variable.value().scalar == 10)
        #expect(try run([y], mode: .training)[0].floats == [6, 10])
        #expect(try variable.value().scalar == 18)
    }

    /// A layer called twice: `v ← v/2 + 1` and then `v ← v/2 + 4`, whichever call is asked for first.
    @Test @Compute func updatesOfOneVariableFollowEachOther() throws {
        let variable = scalar("v", 8)
        let x = Tensor.input("x", [2])
        let first = try x.updating(variable, to: Tensor(variable) / 2 + 1)
        let second = try (first + 1).updating(variable, to: Tensor(variable) / 2 + 4)
        _ = try run([second], mode: .training)
        #expect(try variable.value().scalar == (8.0 / 2 + 1) / 2 + 4)
    }

    @Test @Compute func anUpdateOfOnesOwnIsRefused() throws {
        let variable = scalar("moving", 8)
        let y = try Tensor.input("x", [2]).updating(variable, to: Tensor(variable) + 1)
        let error = #expect(throws: ShapeError.self) {
            try run([y], updates: [Update(variable, to: Tensor(variable) * 2)], mode: .training)
        }
        #expect(error?.message.contains("'moving'") == true)
    }

    @Test func wrongTypesAreRefused() throws {
        let x = Tensor.input("x", [2])
        #expect(throws: ShapeError.self) { try x.updating(scalar("v", 0), to: x) }
        #expect(throws: ShapeError.self) { try x.adding(loss: x) }
    }

    @Test @Compute func lossesAreFoundWhereverTheyWereAdded() throws {
        let x = Tensor.input("x", [2])
        let inner = try x.adding(loss: x.sum())
        let outer = try (inner * 3).adding(loss: (x * x).sum())
        let losses = addedLosses(of: [outer, inner])
        #expect(try run(losses, mode: .inference).map(\.scalar) == [8, 34])
        let total = try losses.reduce(outer.sum()) { try $0 + $1 }
        let gradients = try gradient(of: total, withRespectTo: [x])
        #expect(try run(gradients, mode: .training)[0].floats == [3 + 1 + 6, 3 + 1 + 10])
    }
}
