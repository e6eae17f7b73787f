extension TorchTensor {
    /// PyTorch's own limit.
    static let rankLimit = 64

    /// How many bytes the elements take when each is there once; nil when they are more than the storage has, or not in it.
    var byteCount: Int? {
        guard shape.count == strides.count, offset >= 0, shape.allSatisfy({ $0 >= 0 }),
            strides.allSatisfy({ $0 >= 0 })
        else { return nil }
        if shape.contains(0) { return offset <= storage.elementCount ? 0 : nil }
        var (count, last) = (1, offset)
        for (extent, stride) in zip(shape, strides) {
            let (product, productOverflow) = count.multipliedReportingOverflow(by: extent)
            let (way, wayOverflow) = (extent - 1).multipliedReportingOverflow(by: stride)
            let (sum, sumOverflow) = last.addingReportingOverflow(way)
            if productOverflow || wayOverflow || sumOverflow { return nil }
            (count, last) = (product, sum)
        }
        // Views that show one element many times could ask for any amount of memory.
        guard last < storage.elementCount, count <= storage.elementCount else { return nil }
        return count * storage.type.byteCount
    }

    private var isContiguous: Bool {
        var expected = 1
        for (extent, stride) in zip(shape, strides).reversed() where extent != 1 {
            if stride != expected { return false }
            expected *= extent
        }
        return true
    }

    /// The elements in row-major order: a part of the storage where that is their order in it, else a copy.
    ///
    /// - Parameters:
    ///   - bytes: those of the whole storage.
    ///   - byteCount: that of the elements, which have been found to be in the storage.
    func bytes(in bytes: ArraySlice<UInt8>, byteCount: Int) -> ArraySlice<UInt8> {
        if byteCount == 0 { return [] }
        let width = storage.type.byteCount
        let start = bytes.startIndex + offset * width
        if isContiguous { return bytes[start..<start + byteCount] }
        return StridedView(offset: offset, shape: shape, strides: strides)
            .copied(from: bytes, elementByteCount: width)
    }
}
