/// A file that is read from its beginning; a gzip file, told by its first bytes, is unpacked on the way.
package final class UnpackedFile<Failure: ReadingFailure> {
    /// What errors call the file.
    package let path: String
    /// The size of the file on disk.
    package let storedByteCount: Int
    package let isGzip: Bool
    private let source: ByteSource<Failure>
    private let inflater: Inflater<Failure>?
    /// The first bytes, until they are read again.
    private var start: [UInt8]

    /// - Throws: `Failure` when the file is missing, not a regular file or may not be read.
    package convenience init(_ path: String) throws(Failure) { try self.init(ByteSource(path)) }

    /// Bytes in memory in place of a file.
    package convenience init(_ bytes: [UInt8], named path: String) throws(Failure) {
        try self.init(ByteSource(bytes, named: path))
    }

    package init(_ source: ByteSource<Failure>) throws(Failure) {
        self.source = source
        path = source.path
        storedByteCount = source.byteCount
        let start = try readingBytes(count: 2) { (memory) throws(Failure) in
            try source.read(into: memory)
        }
        isGzip = start == [0x1F, 0x8B]
        guard isGzip else {
            self.start = start
            inflater = nil
            return
        }
        self.start = []
        var isFirst = true
        inflater = try Inflater(.gzip, path: path) { (memory) throws(Failure) in
            guard isFirst else { return try source.read(into: memory) }
            isFirst = false
            memory.copyBytes(from: start)
            let rest = UnsafeMutableRawBufferPointer(rebasing: memory[start.count...])
            return start.count + (try source.read(into: rest))
        }
    }

    /// No file of this size unpacks to more: deflate spends at least 2 bits on each 258 bytes.
    package var greatestByteCount: Int {
        guard isGzip else { return storedByteCount }
        let (product, overflow) = storedByteCount.multipliedReportingOverflow(by: 1032)
        return overflow ? .max : product
    }

    /// Fills `memory` as far as the data goes.
    ///
    /// - Returns: The number of bytes read, less than the size of `memory` only at the end of the data.
    /// - Throws: `Failure` when the disk fails or the gzip data is damaged or cut short.
    package func read(into memory: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        if let inflater { return try inflater.read(into: memory) }
        let part = start.prefix(memory.count)
        memory.copyBytes(from: part)
        start.removeFirst(part.count)
        return part.count
            + (try source.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[part.count...])))
    }

    /// Passes over bytes of a file that is not packed, without reading them; there need not be as many.
    package func skip(_ count: Int) {
        precondition(!isGzip)
        let first = min(count, start.count)
        start.removeFirst(first)
        source.skip(count - first)
    }

    /// Up to `count` bytes, fewer only at the end of the data.
    ///
    /// The memory is not written before data for it has been read, so a false claim costs none.
    package func readBytes(count: Int) throws(Failure) -> [UInt8] {
        try readingBytes(count: count) { (memory) throws(Failure) in try self.read(into: memory) }
    }
}
