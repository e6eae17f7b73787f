import FoveaFiles

extension Picture {
    /// The bytes of a regular file of at most ``greatestFileByteCount``.
    static func readFile(_ path: String) throws(PictureError) -> [UInt8] {
        let file = try ByteSource<PictureError>(path)
        guard file.byteCount <= greatestFileByteCount else {
            throw PictureError(
                .tooLarge, file: path,
                "has \(file.byteCount) bytes, but at most \(greatestFileByteCount) are read; scale the picture "
                    + "down with another program")
        }
        return try readingBytes(count: file.byteCount, file.read)
    }
}
