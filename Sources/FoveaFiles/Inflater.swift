import CZlib

/// Unpacks deflated data piece by piece (RFC 1950 to 1952); checksums in the data are verified.
package final class Inflater<Failure: ReadingFailure> {
    package enum Wrapping: String {
        /// A gzip file: one member or several, one after the other; zero bytes may follow.
        case gzip
        /// One zlib stream; bytes behind it are left alone.
        case zlib
    }

    /// Fills memory with packed bytes and returns how many it wrote: none only at the end.
    package typealias Supply = (UnsafeMutableRawBufferPointer) throws(Failure) -> Int

    private let wrapping: Wrapping
    private let path: String
    private let supply: Supply
    /// zlib keeps the address.
    private let stream: UnsafeMutablePointer<z_stream>
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    private var isAtEnd = false

    /// - Parameter path: what errors call the data.
    package init(_ wrapping: Wrapping, path: String, supply: @escaping Supply) throws(Failure) {
        self.wrapping = wrapping
        self.path = path
        self.supply = supply
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let windowBits: Int32 = wrapping == .gzip ? 15 + 16 : 15
        let size = Int32(MemoryLayout<z_stream>.size)
        guard inflateInit2_(stream, windowBits, ZLIB_VERSION, size) == Z_OK else {
            throw Failure(.fileAccess, file: path, message: "there is not enough memory to unpack it")
        }
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        input.deallocate()
    }

    /// Fills `buffer` as far as the data goes.
    ///
    /// - Returns: The number of bytes unpacked, less than the size of `buffer` only at the end of the data.
    /// - Throws: `Failure` when the data is damaged or cut short.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        var filled = 0
        while filled < buffer.count, !isAtEnd {
            if stream.pointee.avail_in == 0, try !refill() {
                throw Failure(
                    .truncated, file: path,
                    message: "the \(wrapping.rawValue) data is cut short; copy or download it again")
            }
            let room = min(buffer.count - filled, 1 << 30)
            stream.pointee.next_out = (buffer.baseAddress! + filled).assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(room)
            let code = inflate(stream, Z_NO_FLUSH)
            filled += room - Int(stream.pointee.avail_out)
            switch code {
            case Z_OK, Z_BUF_ERROR: break
            case Z_STREAM_END: try finishMember()
            default: throw damaged(stream.pointee.msg.map { String(cString: $0) } ?? "code \(code)")
            }
        }
        return filled
    }

    private func refill() throws(Failure) -> Bool {
        let count = try supply(input)
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(count)
        return count > 0
    }

    /// Goes on to the next member if there is one.
    private func finishMember() throws(Failure) {
        guard wrapping == .gzip else {
            isAtEnd = true
            return
        }
        while true {
            if stream.pointee.avail_in == 0, try !refill() {
                isAtEnd = true
                return
            }
            switch stream.pointee.next_in.pointee {
            case 0:
                stream.pointee.next_in += 1
                stream.pointee.avail_in -= 1
            case 0x1F:
                inflateReset(stream)
                return
            default: throw damaged("other data follows")
            }
        }
    }

    private func damaged(_ reason: String) -> Failure {
        Failure(
            .damaged, file: path,
            message: "the \(wrapping.rawValue) data is damaged (\(reason)); copy or download it again")
    }
}
