import Foundation

/// What tells one random tensor from another in the same graph. Compilation numbers the streams in the order in which
/// the graph reaches them, so equal graphs draw equal numbers.
public final class RandomStream: Sendable, Hashable {
    public init() {}
    public static func == (a: RandomStream, b: RandomStream) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// Random numbers: each a function of the run's seed and step, the stream's number and the element's place, and of
/// nothing else, so any of them can be computed again at any time (Philox 4×32-10; Salmon et al. 2011, "Parallel random
/// numbers: as easy as 1, 2, 3"). Input: the run's key.
public struct Random: OperationRule {
    public enum Distribution: String, Sendable, CaseIterable {
        /// Even over `[0, 1)`, in steps of 2⁻²⁴.
        case uniform
        /// Mean 0, standard deviation 1 (Box and Muller 1958).
        case normal
    }

    public enum Stream: Hashable, Sendable {
        case unnumbered(RandomStream)
        case numbered(UInt32)
    }

    public let distribution: Distribution
    public let shape: Shape
    public let stream: Stream

    public init(_ distribution: Distribution, shape: Shape, stream: Stream) {
        self.distribution = distribution
        self.shape = shape
        self.stream = stream
    }

    public var name: String { "random \(distribution.rawValue)" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        guard inputs[0] == TensorType([4], .int32) else {
            throw error("needs a key of four int32 words", inputs)
        }
        return TensorType(shape, .float32)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) -> [Tensor?] { [nil] }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) throws -> TensorValue {
        guard case .numbered(let number) = stream else {
            throw ShapeError(name, "its stream has no number before compilation")
        }
        let key = inputs[0].integers.map(UInt32.init(bitPattern:))
        let results = (0..<type.shape.elementCount).map { index -> Double in
            let words = Philox4x32.block(
                key: SIMD2(key[0], key[1]),
                counter: SIMD4(UInt32(truncatingIfNeeded: index / 4), number, key[2], key[3]))
            let lanes = (0..<4).map { Double(words[$0] >> 8) }
            let lane = index % 4
            switch distribution {
            case .uniform: return lanes[lane] / 0x1p24
            case .normal:
                let first = lane & ~1
                let radius = (-2 * log((lanes[first] + 1) / 0x1p24)).squareRoot()
                let angle = 2 * Double.pi * lanes[first + 1] / 0x1p24
                return radius * (lane == first ? cos(angle) : sin(angle))
            }
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: results)
    }
}

extension Tensor {
    /// Numbers drawn evenly from `[0, 1)`, anew at every step of a run.
    ///
    /// - Parameters:
    ///   - shape: the result's shape, which may contain the batch size.
    ///   - stream: two tensors with the same stream and shape hold the same numbers.
    public static func randomUniform(_ shape: Shape, stream: RandomStream = RandomStream()) -> Tensor {
        Tensor(
            known: .random(Random(.uniform, shape: shape, stream: .unnumbered(stream))), [.randomKey],
            TensorType(shape, .float32))
    }

    /// Numbers of the standard normal distribution, anew at every step of a run.
    public static func randomNormal(_ shape: Shape, stream: RandomStream = RandomStream()) -> Tensor {
        Tensor(
            known: .random(Random(.normal, shape: shape, stream: .unnumbered(stream))), [.randomKey],
            TensorType(shape, .float32))
    }
}
