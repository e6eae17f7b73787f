/// The global heap of a file that is being written: collections of texts to which attributes refer.
struct HDF5TextHeap {
    private var address = 0
    private var used = 0
    private var byteCount = 0
    private var objectCount = 0

    /// What every version of the library expects of a collection at least.
    private static let leastByteCount = 4096
    private static let headByteCount = 16

    /// Puts a text into the file.
    ///
    /// - Returns: what stands for it in an attribute.
    mutating func add(_ text: String, to output: inout HDF5Output) throws(HDF5Problem) -> [UInt8] {
        let text = Array(text.utf8)
        guard !text.contains(0) else { throw HDF5Problem("a text has a NUL, which ends texts in HDF5") }
        guard text.count <= UInt32.max else { throw HDF5Problem("a text is longer than HDF5 allows") }
        var reference: [UInt8] = []
        reference.append(text.count, byteCount: 4)
        guard !text.isEmpty else { return reference + [UInt8](repeating: 0, count: 12) }
        let need = Self.headByteCount + text.count.roundedUpToEight
        if need > byteCount - used || objectCount >= UInt16.max { begin(need, &output) }
        objectCount += 1
        var object: [UInt8] = []
        object.append(objectCount, byteCount: 2)
        object.append(0, byteCount: 6)
        object.append(text.count, byteCount: 8)
        output.put(object + text, at: address + used)
        used += need
        markFreeSpace(&output)
        reference.append(address, byteCount: 8)
        reference.append(objectCount, byteCount: 4)
        return reference
    }

    private mutating func begin(_ need: Int, _ output: inout HDF5Output) {
        byteCount = max(Self.leastByteCount, Self.headByteCount + need)
        address = output.allocate(byteCount)
        used = Self.headByteCount
        objectCount = 0
        var head = Array("GCOL".utf8) + [1, 0, 0, 0]
        head.append(byteCount, byteCount: 8)
        output.put(head, at: address)
    }

    /// What is left of a collection is an object of number 0, unless not even its head has room.
    private func markFreeSpace(_ output: inout HDF5Output) {
        let free = byteCount - used
        guard free >= Self.headByteCount else { return }
        var object = [UInt8](repeating: 0, count: 8)
        object.append(free, byteCount: 8)
        output.put(object, at: address + used)
    }
}
