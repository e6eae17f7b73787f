/// Parts of values.
///
/// Places count from 0. As with an array's, a subscript outside the value ends the program with a message that says where the
/// value ends.
extension TensorValue {
    /// The part at a place of the first axis, without that axis: a row of a matrix, an image of a batch.
    public subscript(index: Int) -> TensorValue {
        precondition(shape.rank > 0, "a scalar has no axis to take place \(index) of; its number is `scalar`")
        checkPlace(index, axis: 0)
        return TensorValue(
            unchecked: Shape(Array(shape.dimensions.dropFirst())),
            storage.part(elements(of: index..<(index + 1))))
    }

    /// One element, by its place on every axis: `image[y, x, channel]`. As `Float`; `true` is 1.
    public subscript(indices: Int...) -> Float {
        precondition(
            indices.count == shape.rank,
            "\(indices.count) places do not name an element of a tensor \(shape), which has \(shape.rank) axes"
        )
        for (axis, index) in indices.enumerated() { checkPlace(index, axis: axis) }
        return Float(storage.double(at: shape.position(of: indices)))
    }

    /// A part along the first axis: `images[0..<10]`, `images[100...]`.
    public subscript(range: some RangeExpression<Int>) -> TensorValue {
        precondition(shape.rank > 0, "a scalar has no axis to take a range of; its number is `scalar`")
        let range = checkedRange(range, axis: 0)
        return TensorValue(
            unchecked: Shape([range.count] + shape.dimensions.dropFirst()), storage.part(elements(of: range)))
    }

    /// A part along the first axes, with a range for each, as `image[0..<14, 0..<14]`, or a place, whose axis goes away, as in
    /// NumPy: `images[0, 2..<5]`. Axes without either are taken whole.
    public subscript(
        first: some AxisIndex, second: some AxisIndex, others: (any AxisIndex)...
    ) -> TensorValue {
        let given: [any AxisIndex] = [first, second] + others
        precondition(
            given.count <= shape.rank,
            "\(given.count) places and ranges are too many for a tensor \(shape), which has \(shape.rank) axes"
        )
        var ranges = shape.dimensions.map { 0..<$0 }
        var keptAxes = Set(ranges.indices)
        for (axis, index) in given.enumerated() {
            switch index.pick(of: ranges[axis]) {
            case .place(let place):
                checkPlace(place, axis: axis)
                ranges[axis] = place..<(place + 1)
                keptAxes.remove(axis)
            case .range(let range): ranges[axis] = checkedRange(range, axis: axis)
            }
        }
        let strides = shape.rowMajorStrides
        var places: [Int] = []
        places.reserveCapacity(ranges.reduce(1) { $0 * $1.count })
        Shape(ranges.map(\.count)).forEachIndex { index in
            places.append(
                index.indices.reduce(0) { $0 + (index[$1] + ranges[$1].lowerBound) * strides[$1] })
        }
        return TensorValue(
            unchecked: Shape(ranges.indices.filter(keptAxes.contains).map { ranges[$0].count }),
            storage.picking(places))
    }

    private func checkPlace(_ index: Int, axis: Int) {
        precondition(
            index >= 0 && index < shape[axis],
            "place \(index) was asked for on axis \(axis) of a tensor \(shape), which has \(shape[axis]) from 0 on"
        )
    }

    private func checkedRange(_ range: some RangeExpression<Int>, axis: Int) -> Range<Int> {
        let whole = 0..<shape[axis]
        let range = range.relative(to: whole)
        precondition(
            range.lowerBound >= 0 && range.upperBound <= whole.upperBound,
            "places \(range) were asked for on axis \(axis) of a tensor \(shape), which has \(shape[axis]) from 0 on"
        )
        return range
    }

    private func elements(of rows: Range<Int>) -> Range<Int> {
        let width = shape.dimensions.dropFirst().reduce(1, *)
        return (rows.lowerBound * width)..<(rows.upperBound * width)
    }
}

/// What a subscript picks along an axis of a value: a place or a range of places.
public protocol AxisIndex {
    /// - Parameter whole: the places that the axis has.
    func pick(of whole: Range<Int>) -> AxisPick
}

/// A place of an axis, which then goes away, or places of an axis that stays.
public enum AxisPick: Hashable, Sendable {
    case place(Int)
    case range(Range<Int>)
}

extension Int: AxisIndex {
    public func pick(of whole: Range<Int>) -> AxisPick { .place(self) }
}

extension Range<Int>: AxisIndex {}
extension ClosedRange<Int>: AxisIndex {}
extension PartialRangeFrom<Int>: AxisIndex {}
extension PartialRangeThrough<Int>: AxisIndex {}
extension PartialRangeUpTo<Int>: AxisIndex {}

extension AxisIndex where Self: RangeExpression<Int> {
    public func pick(of whole: Range<Int>) -> AxisPick { .range(relative(to: whole)) }
}

extension TensorValue.Storage {
    fileprivate func part(_ range: Range<Int>) -> Self {
        switch self {
        case .float32(let all): .float32(Array(all[range]))
        case .bfloat16(let all): .bfloat16(Array(all[range]))
        case .int32(let all): .int32(Array(all[range]))
        case .uint8(let all): .uint8(Array(all[range]))
        case .bool(let all): .bool(Array(all[range]))
        }
    }

    /// The elements at some places, in their order.
    func picking(_ places: [Int]) -> Self {
        switch self {
        case .float32(let all): .float32(places.map { all[$0] })
        case .bfloat16(let all): .bfloat16(places.map { all[$0] })
        case .int32(let all): .int32(places.map { all[$0] })
        case .uint8(let all): .uint8(places.map { all[$0] })
        case .bool(let all): .bool(places.map { all[$0] })
        }
    }
}
