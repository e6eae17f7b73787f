extension Picture {
    /// The bytes of a regular file of at most ``greatestFileByteCount``.
    static func readFile(_ path: String) throws(PictureError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(DatasetError) {
            let file = try ByteSource(path)
            guard file.byteCount <= greatestFileByteCount else {
                throw DatasetError(
                    .tooLarge, file: path,
                    "has \(file.byteCount) bytes, but at most \(greatestFileByteCount) are read; scale the picture "
                        + "down with another program")
            }
            bytes = try readingBytes(count: file.byteCount, file.read)
        } catch {
            throw PictureError(error)
        }
        return bytes
    }
}

extension PictureError {
    /// Of a file that cannot be read.
    fileprivate init(_ error: DatasetError) {
        let kind: Kind =
            switch error.kind {
            case .missingFile: .missingFile
            case .tooLarge: .tooLarge
            default: .unreadable
            }
        self.init(kind, file: error.file, error.message)
    }
}
