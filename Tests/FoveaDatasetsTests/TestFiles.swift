import CZlib

@testable import FoveaDatasets

/// The SHA-256 of a file's data after unpacking.
func unpackedSHA256(of path: String, limit: Int) throws -> Checksum {
    try Checksum.sha256("").ofFile(path, unpacking: true, limit: limit)
}

struct GzipFailure: Error {}

func gzip(_ bytes: [UInt8], level: Int32 = 9) throws -> [UInt8] {
    var stream = z_stream()
    let size = Int32(MemoryLayout<z_stream>.size)
    guard deflateInit2_(&stream, level, Z_DEFLATED, 15 + 16, 8, 0, ZLIB_VERSION, size) == Z_OK else {
        throw GzipFailure()
    }
    defer { deflateEnd(&stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
    let status = input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
            (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
            (stream.next_out, stream.avail_out) = (output.baseAddress, UInt32(output.count))
            return deflate(&stream, Z_FINISH)
        }
    }
    guard status == Z_STREAM_END else { throw GzipFailure() }
    return Array(output.prefix(Int(stream.total_out)))
}

func idxHeader(_ extents: [UInt32], type: UInt8 = 0x08) -> [UInt8] {
    [0, 0, type, UInt8(extents.count)]
        + extents.flatMap { extent in
            (0..<4).reversed().map { UInt8(truncatingIfNeeded: extent >> (8 * $0)) }
        }
}

func idx(_ extents: [UInt32], _ elements: [UInt8]) -> [UInt8] { idxHeader(extents) + elements }

/// Bytes that gzip can hardly make smaller.
func noise(_ count: Int) -> [UInt8] {
    var state: UInt32 = 1
    return (0..<count).map { _ in
        state = state &* 1_664_525 &+ 1_013_904_223
        return UInt8(state >> 24)
    }
}
