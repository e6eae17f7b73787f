import FoveaGraph

/// What a kernel sees where it reaches beyond the edge of a signal or image `a b c d`.
public enum Boundary: Hashable, Sendable {
    /// One number, usually 0: `0 0 | a b c d | 0 0`. SciPy's `fill` and `constant`.
    case constant(Float)
    /// The opposite edge: `c d | a b c d | a b`. SciPy's `wrap`.
    case wrap
    /// The mirror image, the last element repeated: `b a | a b c d | d c`. SciPy's `symm` and `reflect`.
    case reflect
    /// The last element: `a a | a b c d | d d`. SciPy's `nearest`.
    case nearest

    /// The element seen at a position that may lie outside `0..<extent`; nil where it is the constant.
    func source(of position: Int, extent: Int) -> Int? {
        switch self {
        case .constant:
            return (0..<extent).contains(position) ? position : nil
        case .wrap:
            return positiveRemainder(position, extent)
        case .reflect:
            let place = positiveRemainder(position, 2 * extent)
            return place < extent ? place : 2 * extent - 1 - place
        case .nearest:
            return min(max(position, 0), extent - 1)
        }
    }

    private func positiveRemainder(_ position: Int, _ extent: Int) -> Int {
        let remainder = position % extent
        return remainder < 0 ? remainder + extent : remainder
    }

    /// Images `[batch, height, width, channels]` with a border that shows what lies beyond their edges.
    func extending(_ images: Tensor, by border: Padding2D) throws(ShapeError) -> Tensor {
        if border == .none { return images }
        if case .constant(let value) = self {
            return try images.padded(
                low: [0, border.top, border.left, 0], high: [0, border.bottom, border.right, 0], value: value)
        }
        let rows = try extending(images, axis: 1, before: border.top, after: border.bottom)
        return try extending(rows, axis: 2, before: border.left, after: border.right)
    }

    private func extending(
        _ images: Tensor, axis: Int, before: Int, after: Int
    ) throws(ShapeError) -> Tensor {
        if before == 0 && after == 0 { return images }
        let extent = images.shape[axis]
        let sources = (-before..<extent + after).map { Int32(source(of: $0, extent: extent) ?? -1) }
        return try Tensor(.gather(Gather(axis: axis)), [images, .constant(TensorValue(sources))])
    }
}
