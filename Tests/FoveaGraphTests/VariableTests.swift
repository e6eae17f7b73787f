import FoveaGraph
import Synchronization
import Testing

@Suite struct VariableTests {
    /// Makes the first value of a variable and counts how often.
    private final class Maker: Sendable {
        let count = Mutex(0)

        func variable() -> Variable {
            Variable(name: "v", type: TensorType([3], .float32)) {
                self.count.withLock { $0 += 1 }
                return TensorValue([1, 2, 3] as [Float])
            }
        }
    }

    @Test func firstValuesAreMadeOnce() async throws {
        let maker = Maker()
        let variable = maker.variable()
        #expect(variable.shape == [3] && variable.dtype == .float32 && maker.count.withLock { $0 } == 0)
        for _ in 0..<2 { #expect(try await variable.value().floats == [1, 2, 3]) }
        #expect(maker.count.withLock { $0 } == 1)
        try await variable.assign(TensorValue([4, 5, 6] as [Float]))
        #expect(try await variable.value().floats == [4, 5, 6])
        #expect(maker.count.withLock { $0 } == 1)
    }

    @Test func firstValuesThatAreReplacedAreNeverMade() async throws {
        let maker = Maker()
        let variable = maker.variable()
        await #expect(throws: ShapeError.self) {
            try await variable.assign(TensorValue([4, 5] as [Float]))
        }
        try await variable.assign(TensorValue([4, 5, 6] as [Float]))
        #expect(try await variable.value().floats == [4, 5, 6])
        #expect(maker.count.withLock { $0 } == 0)
    }

    /// What goes wrong while a value is made goes wrong again the next time.
    @Test func firstValuesThatCannotBeMade() async throws {
        let variable = Variable(name: "v", type: TensorType([3], .float32)) {
            try TensorValue(shape: [3], [1, 2])
        }
        for _ in 0..<2 {
            await #expect(throws: ShapeError.self) { try await variable.value() }
        }
    }
}
