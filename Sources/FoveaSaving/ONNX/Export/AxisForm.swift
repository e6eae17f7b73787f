import FoveaGraph

/// How a tensor of ours is held in an ONNX graph, where images have their channels before their rows and columns.
enum AxisForm: Hashable {
    /// With its axes in another order: axis `i` there is axis `order[i]` of ours.
    case ordered([Int])
    /// Rows `[batch, features]` that were images: what each row holds are the `extents` of an image of ours, with the axes in
    /// another order.
    case flattened(extents: [Int], order: [Int])

    static func natural(_ rank: Int) -> AxisForm { .ordered(Array(0..<rank)) }

    /// `[batch, height, width, channels]` as `[batch, channels, height, width]`; likewise with another number of axes.
    static func channelsFirst(_ rank: Int) -> AxisForm { .ordered(channelsFirstOrder(rank)) }

    static func channelsFirstOrder(_ rank: Int) -> [Int] {
        rank < 3 ? Array(0..<rank) : [0, rank - 1] + Array(1..<rank - 1)
    }

    var isNatural: Bool {
        if case .ordered(let order) = self { order.elementsEqual(order.indices) } else { false }
    }
}

extension Shape {
    /// The axes in an order without those of extent 1, which may be anywhere without an element moving.
    func longAxes(_ order: [Int]) -> [Int] { order.filter { self[$0] != 1 } }

    /// Where the axes of an order go when the shape is replaced by one that has other axes of extent 1; nil when it has other
    /// extents, too.
    func order(_ order: [Int], movedTo target: Shape) -> [Int]? {
        let (from, to) = (longAxes(Array(0..<rank)), target.longAxes(Array(0..<target.rank)))
        guard from.map({ self[$0] }) == to.map({ target[$0] }) else { return nil }
        let places = Dictionary(uniqueKeysWithValues: zip(from, to))
        let wanted = longAxes(order).compactMap { places[$0] }
        let usual = [AxisForm.channelsFirstOrder(target.rank), Array(0..<target.rank)]
        return usual.first { target.longAxes($0) == wanted }
            ?? wanted + (0..<target.rank).filter { target[$0] == 1 }
    }
}

extension TensorValue {
    /// Axis `i` of the result is axis `order[i]`.
    func transposed(_ order: [Int]) -> TensorValue {
        if order.elementsEqual(order.indices) { return self }
        let strides = shape.rowMajorStrides
        let (extents, steps) = (order.map { shape[$0] }, order.map { strides[$0] })
        func moved<Element>(_ elements: [Element]) -> [Element] {
            guard let row = extents.last, let step = steps.last, !elements.isEmpty else { return elements }
            return [Element](unsafeUninitializedCapacity: elements.count) { buffer, count in
                elements.withUnsafeBufferPointer { elements in
                    var index = [Int](repeating: 0, count: extents.count - 1)
                    var start = 0
                    while count < elements.count {
                        for column in 0..<row {
                            buffer.initializeElement(at: count + column, to: elements[start + column * step])
                        }
                        count += row
                        for axis in index.indices.reversed() {
                            index[axis] += 1
                            start += steps[axis]
                            if index[axis] < extents[axis] { break }
                            start -= extents[axis] * steps[axis]
                            index[axis] = 0
                        }
                    }
                }
            }
        }
        let storage: Storage =
            switch self.storage {
            case .float32(let elements): .float32(moved(elements))
            case .bfloat16(let elements): .bfloat16(moved(elements))
            case .int32(let elements): .int32(moved(elements))
            case .uint8(let elements): .uint8(moved(elements))
            case .bool(let elements): .bool(moved(elements))
            }
        return TensorValue(unchecked: Shape(extents), storage)
    }

    /// The same elements under a shape that holds as many.
    func reshaped(known shape: Shape) -> TensorValue { TensorValue(unchecked: shape, storage) }
}
