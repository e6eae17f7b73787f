import CPictures
import Foundation

extension Picture {
    /// The bytes of a PNG file with the same samples, 8 bits each.
    ///
    /// - Throws: `PictureError` when there is not enough memory.
    public func pngData() throws(PictureError) -> Data {
        try encoded("PNG") { fovea_picture_encode_png($0, Int32(height), Int32(width), Int32(channels), &$1) }
    }

    /// The bytes of a baseline JPEG file, with the colours at half the resolution (4:2:0) and the quantisation tables of
    /// libjpeg's quality scale, which is also Pillow's.
    ///
    /// - Parameter quality: 1 to 100. Pillow's default is 75, at which edges show.
    /// - Throws: `PictureError` when the quality is outside its range, a side is longer than 65,500 pixels, which the
    ///   format does not allow, or there is not enough memory.
    public func jpegData(quality: Int = 90) throws(PictureError) -> Data {
        guard (1...100).contains(quality) else {
            throw PictureError(.invalidArgument, "the quality of a JPEG picture is 1 to 100, not \(quality)")
        }
        return try encoded("JPEG") {
            fovea_picture_encode_jpeg($0, Int32(height), Int32(width), Int32(channels), Int32(quality), &$1)
        }
    }

    private func encoded(
        _ format: String, _ encode: (UnsafePointer<UInt8>?, inout fovea_picture_encoded) -> Void
    ) throws(PictureError) -> Data {
        var result = fovea_picture_encoded()
        pixels.withUnsafeBufferPointer { encode($0.baseAddress, &result) }
        defer { fovea_picture_release_encoded(&result) }
        guard result.succeeded == 1, let bytes = result.bytes else {
            throw PictureError(
                .encoding, "\(height)×\(width) pixels cannot be written as \(format): \(text(result.message))"
            )
        }
        return Data(bytes: bytes, count: result.count)
    }
}
