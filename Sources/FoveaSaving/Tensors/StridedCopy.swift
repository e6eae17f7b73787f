import FoveaGraph

/// Elements picked from others in steps: element (i, j, …) is at `offset + i · strides[0] + j · strides[1] + …`.
struct StridedView {
    let offset: Int
    let shape: [Int]
    let strides: [Int]

    /// The numbers of a tensor of one shape with its axes in another order, as NumPy's `transpose`.
    init(_ shape: [Int], axes: [Int]) {
        var strides = [Int](repeating: 1, count: shape.count)
        for axis in shape.indices.dropLast().reversed() {
            strides[axis] = strides[axis + 1] * shape[axis + 1]
        }
        self.init(offset: 0, shape: axes.map { shape[$0] }, strides: axes.map { strides[$0] })
    }

    init(offset: Int, shape: [Int], strides: [Int]) {
        self.offset = offset
        self.shape = shape
        self.strides = strides
    }

    /// The elements in row-major order. All must be in `bytes`, and their number must not overflow.
    func copied(from bytes: ArraySlice<UInt8>, elementByteCount: Int) -> ArraySlice<UInt8> {
        switch elementByteCount {
        case 1: copied(from: bytes, as: UInt8.self)
        case 2: copied(from: bytes, as: UInt16.self)
        case 4: copied(from: bytes, as: UInt32.self)
        default: copied(from: bytes, as: UInt64.self)
        }
    }

    private func copied<Element: BitwiseCopyable>(
        from bytes: ArraySlice<UInt8>, as: Element.Type
    ) -> ArraySlice<UInt8> {
        let width = MemoryLayout<Element>.size
        let byteCount = shape.reduce(width, *)
        // The last axis is a loop of its own; the others count like the wheels of a meter.
        let (run, step) = (shape.last ?? 1, (strides.last ?? 0) * width)
        let (extents, steps) = (shape.dropLast(), strides.dropLast().map { $0 * width })
        var place = [Int](repeating: 0, count: extents.count)
        var row = offset * width
        let copy = [UInt8](unsafeUninitializedCapacity: byteCount) { target, count in
            bytes.withUnsafeBytes { source in
                let target = UnsafeMutableRawBufferPointer(target)
                while count < byteCount {
                    for index in 0..<run {
                        let element = source.loadUnaligned(
                            fromByteOffset: row + index * step, as: Element.self)
                        target.storeBytes(of: element, toByteOffset: count, as: Element.self)
                        count += width
                    }
                    for axis in extents.indices.reversed() {
                        place[axis] += 1
                        row += steps[axis]
                        if place[axis] < extents[axis] { break }
                        row -= extents[axis] * steps[axis]
                        place[axis] = 0
                    }
                }
            }
        }
        return copy[...]
    }
}
