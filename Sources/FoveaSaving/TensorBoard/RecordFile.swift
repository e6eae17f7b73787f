import FoveaFiles
import Glibc

/// A file of records with checksums, as TensorFlow writes them, that grows. A reader may look at it at any time.
///
/// Each record is its length (8 bytes), the length's checksum (4), the data, and their checksum (4).
struct RecordFile {
    let path: String
    /// What whole records take that are in the file.
    private(set) var byteCount = 0

    init(path: String) { self.path = path }

    /// Puts records, of `record(_:)`, behind the last; the first make the file.
    ///
    /// - Throws: `FileError`; what the file had before is then as it was, and no part of the records behind it.
    mutating func append(_ records: [UInt8]) throws(FileError) {
        try append(records) { pwrite($0, $1.baseAddress, $1.count, off_t($2)) }
    }

    /// `append(_:)` with the system call that writes given, so that tests can have a full disk.
    mutating func append(
        _ records: [UInt8],
        using systemWrite: (_ descriptor: Int32, UnsafeRawBufferPointer, _ place: Int) -> Int
    ) throws(FileError) {
        let isNew = byteCount == 0
        let descriptor = open(path, O_WRONLY | O_CLOEXEC | (isNew ? O_CREAT | O_EXCL : 0), 0o666)
        guard descriptor >= 0 else {
            throw FileError(path: path, operation: isNew ? .create : .open, code: errno)
        }
        let start = byteCount
        var code = writeAll(records) { systemWrite(descriptor, $0, start + $1) }
        if code != 0 { _ = isNew ? unlink(path) : ftruncate(descriptor, off_t(start)) }
        if close(descriptor) != 0, code == 0 { code = errno }
        guard code == 0 else { throw FileError(path: path, operation: .write, code: code) }
        byteCount += records.count
    }

    static func record(_ data: [UInt8]) -> [UInt8] {
        let length = withUnsafeBytes(of: UInt64(data.count).littleEndian) { Array($0) }
        return length + masked(CRC32C.checksum(length)) + data + masked(CRC32C.checksum(data))
    }

    /// Checksums of data that contain checksums would be weak, so they are turned and moved.
    private static func masked(_ checksum: UInt32) -> [UInt8] {
        let masked = (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
        return withUnsafeBytes(of: masked.littleEndian) { Array($0) }
    }
}

/// The cyclic redundancy check of Castagnoli, Bräuer and Herrmann 1993, "Optimization of cyclic redundancy-check codes with 24 and
/// 32 parity bits", as in iSCSI (RFC 3720).
enum CRC32C {
    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(.max) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
    }

    private static let table: [UInt32] = (0..<256).map { (byte: UInt32) in
        (0..<8).reduce(byte) { value, _ in value >> 1 ^ (value & 1 == 0 ? 0 : 0x82F6_3B78) }
    }
}
