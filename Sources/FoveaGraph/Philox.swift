/// The counter-based random function Philox4x32-10.
///
/// Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. A block depends on
/// nothing but its key and counter, so any part of a random sequence can be made again, in any order and on
/// any thread.
public struct Philox4x32: Sendable {
    /// Four random words: ten rounds of the cipher over `counter` under `key`.
    public static func block(key: SIMD2<UInt32>, counter: SIMD4<UInt32>) -> SIMD4<UInt32> {
        var (c0, c1, c2, c3) = (counter.x, counter.y, counter.z, counter.w)
        var (k0, k1) = (key.x, key.y)
        for _ in 0..<10 {
            let first = c0.multipliedFullWidth(by: 0xD251_1F53)
            let second = c2.multipliedFullWidth(by: 0xCD9E_8D57)
            (c0, c1, c2, c3) = (second.high ^ c1 ^ k0, second.low, first.high ^ c3 ^ k1, first.low)
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return SIMD4(c0, c1, c2, c3)
    }
}

/// A sequence of random numbers that is named by a seed, a stream and a step.
///
/// The key is the seed; the counter is (block, stream, low word of the step, high word of the step). Uses that
/// must not share numbers take different streams; a use that repeats (each epoch, each image) counts steps. A
/// sequence repeats after 2³⁴ words.
public struct PhiloxGenerator: RandomNumberGenerator, Sendable {
    private let key: SIMD2<UInt32>
    private var counter: SIMD4<UInt32>
    private var words = SIMD4<UInt32>()
    private var used = 4

    public init(seed: UInt64, stream: UInt32, step: UInt64) {
        key = SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        counter = SIMD4(0, stream, UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: step >> 32))
    }

    /// The next 32 random bits.
    public mutating func nextWord() -> UInt32 {
        if used == 4 {
            words = Philox4x32.block(key: key, counter: counter)
            counter.x &+= 1
            used = 0
        }
        defer { used += 1 }
        return words[used]
    }

    /// The next two words, the first one as the low half.
    public mutating func next() -> UInt64 {
        let low = UInt64(nextWord())
        return low | UInt64(nextWord()) << 32
    }

    /// A number in `0..<1`, a multiple of 2⁻⁵³.
    public mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A number in `0..<bound`, every one equally likely; 0 when `bound` is less than 2.
    ///
    /// Lemire, "Fast random integer generation in an interval", 2019, arXiv:1805.10941. The standard library
    /// does not promise to draw the same numbers in later versions, so the method is stated here.
    public mutating func index(below bound: Int) -> Int {
        guard bound > 1 else { return 0 }
        let bound = UInt64(bound)
        var product = next().multipliedFullWidth(by: bound)
        let rejected = (0 &- bound) % bound
        while product.low < rejected { product = next().multipliedFullWidth(by: bound) }
        return Int(product.high)
    }
}
