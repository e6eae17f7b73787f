import CZip

/// Bytes that libzip reads where they are, without a copy: an archive, or what goes into one.
final class ZIPMemory {
    private let bytes: [UInt8]
    private var position: Int64 = 0
    private var error = zip_error_t()

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        zip_error_init(&error)
    }

    deinit { zip_error_fini(&error) }

    /// A source of libzip's, which keeps the bytes until it is freed; nil when there is no memory for one.
    static func source(_ bytes: [UInt8]) -> OpaquePointer? {
        let owner = Unmanaged.passRetained(ZIPMemory(bytes))
        let source = zip_source_function_create(
            { owner, data, count, command in
                guard let owner else { return -1 }
                return Unmanaged<ZIPMemory>.fromOpaque(owner).takeUnretainedValue()
                    .answer(command, data, count)
            }, owner.toOpaque(), nil)
        if source == nil { owner.release() }
        return source
    }

    private static let commands = [
        ZIP_SOURCE_OPEN, ZIP_SOURCE_READ, ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT, ZIP_SOURCE_ERROR,
        ZIP_SOURCE_FREE,
        ZIP_SOURCE_SEEK, ZIP_SOURCE_TELL, ZIP_SOURCE_SUPPORTS,
    ].reduce(Int64(0)) { $0 | 1 << Int64($1.rawValue) }

    private func answer(
        _ command: zip_source_cmd_t, _ data: UnsafeMutableRawPointer?, _ count: zip_uint64_t
    ) -> zip_int64_t {
        switch command {
        case ZIP_SOURCE_OPEN:
            position = 0
            return 0
        case ZIP_SOURCE_READ:
            guard let data else { return 0 }
            let amount = min(Int(clamping: count), bytes.count - Int(position))
            bytes.withUnsafeBytes { all in
                guard let start = all.baseAddress else { return }
                data.copyMemory(from: start + Int(position), byteCount: amount)
            }
            position += Int64(amount)
            return Int64(amount)
        case ZIP_SOURCE_CLOSE: return 0
        case ZIP_SOURCE_STAT:
            guard let data, count >= MemoryLayout<zip_stat_t>.size else { return -1 }
            let status = data.assumingMemoryBound(to: zip_stat_t.self)
            zip_stat_init(status)
            status.pointee.size = UInt64(bytes.count)
            status.pointee.valid |= UInt64(ZIP_STAT_SIZE)
            return Int64(MemoryLayout<zip_stat_t>.size)
        case ZIP_SOURCE_ERROR:
            guard let data else { return -1 }
            return zip_error_to_data(&error, data, count)
        case ZIP_SOURCE_FREE:
            Unmanaged.passUnretained(self).release()
            return 0
        case ZIP_SOURCE_SEEK:
            guard let data else { return -1 }
            let place = zip_source_seek_compute_offset(
                UInt64(position), UInt64(bytes.count), data, count, &error)
            if place < 0 { return -1 }
            position = place
            return 0
        case ZIP_SOURCE_TELL: return position
        case ZIP_SOURCE_SUPPORTS: return Self.commands
        default:
            zip_error_set(&error, ZIP_ER_OPNOTSUPP, 0)
            return -1
        }
    }
}
