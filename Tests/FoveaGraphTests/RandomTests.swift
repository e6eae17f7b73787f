import FoveaGraph
import FoveaRuntime
import Testing

@Suite struct RandomTests {
    @Compute private func draw(
        _ outputs: [Tensor], seed: UInt64 = 1, step: UInt64 = 0, batch: Int = 1
    ) throws -> [TensorValue] {
        try ReferenceBackend().compile(outputs: outputs, mode: .training, batch: batch).run(
            step: step, seed: seed)
    }

    @Test @Compute func dependsOnSeedAndStep() throws {
        for tensor in [Tensor.randomUniform([40]), .randomNormal([40])] {
            let first = try draw([tensor])
            #expect(try draw([tensor]) == first)
            // High words count as well as low ones.
            let others = try [
                draw([tensor], seed: 2), draw([tensor], seed: 1 + 1 << 32), draw([tensor], step: 1),
                draw([tensor], step: 1 << 32), draw([tensor], seed: 0, step: 1),
            ]
            for (index, other) in others.enumerated() {
                #expect(other != first)
                #expect(!others[..<index].contains(other))
                #expect(zip(other[0].floats, first[0].floats).allSatisfy { $0 != $1 })
            }
        }
    }

    @Test @Compute func stepsOfOneExecutableCanBeRepeated() throws {
        let executable = try ReferenceBackend().compile(
            outputs: [.randomNormal([9])], mode: .training)
        let first = try (0..<4).map { try executable.run([:], step: $0, seed: 3) }
        let again = try (0..<4).reversed().map { try executable.run([:], step: $0, seed: 3) }
        #expect(Array(again.reversed()) == first)
    }

    @Test @Compute func streamsDiffer() throws {
        let values = try draw((0..<4).map { _ in .randomUniform([16]) })
        #expect(Set(values).count == 4)
    }

    @Test @Compute func oneStreamHoldsTheSameNumbers() throws {
        let stream = RandomStream()
        let values = try draw([.randomUniform([16], stream: stream), .randomUniform([16], stream: stream)])
        #expect(values[0] == values[1])
    }

    @Test @Compute func laterPartsChangeNothing() throws {
        func graph(isLonger: Bool) throws -> [Tensor] {
            let noise = try Tensor.randomUniform([8]) + .randomNormal([8])
            if !isLonger { return [noise] }
            return [noise, try noise * .randomUniform([8]), .randomNormal([3])]
        }
        #expect(try draw(graph(isLonger: false))[0] == draw(graph(isLonger: true))[0])
    }

    /// An element's number does not depend on how many there are.
    @Test @Compute func largerBatchBeginsAlike() throws {
        let tensor = Tensor.randomUniform([Shape.batch, 5])
        let (small, large) = (try draw([tensor], batch: 2)[0], try draw([tensor], batch: 7)[0])
        #expect(large.shape == [7, 5])
        #expect(Array(large.floats.prefix(10)) == small.floats)
    }

    @Test @Compute func hasTheRightMoments() throws {
        let values = try draw([.randomUniform([4000]), .randomNormal([4000])])
        func moments(_ value: TensorValue) -> (mean: Double, deviation: Double) {
            let mean = value.doubles.reduce(0, +) / 4000
            let variance = value.doubles.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
            return (mean, variance.squareRoot())
        }
        let (uniform, normal) = (moments(values[0]), moments(values[1]))
        // Five standard errors.
        #expect(abs(uniform.mean - 0.5) < 5 * 0.2887 / 63.2)
        #expect(abs(uniform.deviation - 0.2887) < 0.01)
        #expect(values[0].floats.allSatisfy { (0..<1).contains($0) })
        #expect(abs(normal.mean) < 5 / 63.2)
        #expect(abs(normal.deviation - 1) < 5 / 89.4)
        #expect(values[1].floats.allSatisfy { $0.isFinite })
        // Neighbours do not go together, within the pairs that Box and Muller draw and across them.
        for gap in [1, 2, 4] {
            let pairs = zip(values[1].doubles, values[1].doubles.dropFirst(gap))
            #expect(abs(pairs.reduce(0) { $0 + $1.0 * $1.1 } / 4000) < 5 / 63.2)
        }
    }

    @Test @Compute func gradientTreatsNumbersAsConstants() throws {
        let x = Tensor.argument("x", [6])
        let noise = Tensor.randomUniform([6])
        let slope = try gradient(of: (x * noise).sum(), withRespectTo: [x])[0]
        let values = try draw([slope, noise])
        #expect(values[0] == values[1])
    }

    /// The published vectors of the Random123 library for Philox4x32-10.
    @Test func philoxGivesThePublishedNumbers() {
        #expect(
            Philox4x32.block(key: .zero, counter: .zero)
                == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
        #expect(
            Philox4x32.block(key: SIMD2(repeating: .max), counter: SIMD4(repeating: .max))
                == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
        #expect(
            Philox4x32.block(
                key: SIMD2(0xa409_3822, 0x299f_31d0),
                counter: SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344))
                == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }
}
