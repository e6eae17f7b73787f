import FoveaGraph
import Testing

@Suite struct PhiloxTests {
    /// The known answers that the authors publish with their implementation, Random123: two words of key, four
    /// of counter, four of result.
    @Test(
        arguments: [
            [0, 0, 0, 0, 0, 0, 0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8],
            [UInt32](repeating: .max, count: 6) + [0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD],
            [
                0xA409_3822, 0x299F_31D0, 0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344,
                0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1,
            ],
        ] as [[UInt32]])
    func knownAnswers(words: [UInt32]) {
        let result = Philox4x32.block(key: SIMD2(words[0..<2]), counter: SIMD4(words[2..<6]))
        #expect(result == SIMD4(words[6..<10]))
    }

    @Test func generatorFollowsItsCounter() {
        var generator = PhiloxGenerator(
            seed: 0x299F_31D0_A409_3822, stream: 7, step: 0x0370_7344_1319_8A2E)
        let key = SIMD2<UInt32>(0xA409_3822, 0x299F_31D0)
        for block in 0..<UInt32(3) {
            let words = Philox4x32.block(key: key, counter: [block, 7, 0x1319_8A2E, 0x0370_7344])
            #expect(generator.nextWord() == words.x)
            #expect(generator.next() == UInt64(words.y) | UInt64(words.z) << 32)
            #expect(generator.nextWord() == words.w)
        }
    }

    @Test func everyPartOfTheNameMatters() {
        func first(_ seed: UInt64, _ stream: UInt32, _ step: UInt64) -> UInt64 {
            var generator = PhiloxGenerator(seed: seed, stream: stream, step: step)
            return generator.next()
        }
        let firsts = [
            first(0, 0, 0), first(1, 0, 0), first(1 << 32, 0, 0), first(0, 1, 0), first(0, 0, 1),
            first(0, 0, 1 << 32),
        ]
        #expect(Set(firsts).count == firsts.count)
    }

    @Test(arguments: [2, 3, 5, 7, 10])
    func indicesAreUniform(bound: Int) {
        var generator = PhiloxGenerator(seed: 11, stream: 0, step: 0)
        var counts = [Int](repeating: 0, count: bound)
        for _ in 0..<(2_000 * bound) { counts[generator.index(below: bound)] += 1 }
        // Six standard deviations of a count with mean 2,000.
        #expect(counts.allSatisfy { abs($0 - 2_000) < 270 })
    }

    @Test func extremesOfIndex() {
        var generator = PhiloxGenerator(seed: 0, stream: 0, step: 0)
        #expect(generator.index(below: 1) == 0)
        #expect(generator.index(below: 0) == 0)
        #expect(generator.index(below: -5) == 0)
        for _ in 0..<100 { #expect((0..<Int.max).contains(generator.index(below: .max))) }
    }

    @Test func uniformNumbersFillTheUnitInterval() {
        var generator = PhiloxGenerator(seed: 3, stream: 0, step: 0)
        let numbers = (0..<10_000).map { _ in generator.uniform() }
        #expect(numbers.allSatisfy { (0..<1).contains($0) })
        #expect(abs(numbers.reduce(0, +) / 10_000 - 0.5) < 0.02)
        #expect(numbers.contains { $0 < 0.001 } && numbers.contains { $0 > 0.999 })
    }
}
