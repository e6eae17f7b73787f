import FoveaGraph

/// The extents of a dataset or an attribute.
struct HDF5Dataspace {
    let shape: Shape
    var isScalar: Bool { shape.dimensions.isEmpty }

    init(_ shape: Shape) { self.shape = shape }

    init(_ cursor: inout HDF5Cursor) throws(HDF5Problem) {
        let version = try cursor.expectVersion(1...2)
        let rank = try cursor.byte()
        let flags = try cursor.byte()
        let kind = try cursor.byte()
        if version == 1 { try cursor.skip(4) }
        guard rank <= 32 else { throw HDF5Problem("it has \(rank) dimensions; HDF5 allows 32") }
        guard version == 1 || kind < 2 else {
            // No value at all, which is written where there is nothing to say.
            shape = [0]
            return
        }
        var extents: [Int] = []
        for _ in 0..<rank { extents.append(try cursor.length()) }
        if flags & 1 != 0 { try cursor.skip(8 * rank) }
        // Extents of 0 are passed over, so that strides can be computed whatever the order of the extents.
        guard Self.product(extents.map { max($0, 1) }, 8) != nil else {
            throw HDF5Problem("its extents \(extents) are more than any file has")
        }
        shape = Shape(extents)
    }

    /// As a message of version 1.
    var encoded: [UInt8] {
        var bytes: [UInt8] = [1, UInt8(shape.rank), 0, 0, 0, 0, 0, 0]
        for extent in shape.dimensions { bytes.append(extent, byteCount: 8) }
        return bytes
    }

    /// How many bytes all elements have; nil when that is more than can be counted.
    func byteCount(of type: HDF5Datatype) -> Int? { Self.product(shape.dimensions, type.byteCount) }

    private static func product(_ extents: [Int], _ byteCount: Int) -> Int? {
        var product = byteCount
        for extent in extents {
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            product = next
        }
        return product
    }
}
