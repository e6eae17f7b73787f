import CPictures
import FoveaFiles

/// Pictures of one size that are shown one after the other.
///
/// ```swift
/// try Animation(frames, secondsPerFrame: 0.5).write(to: "steps.gif")   // or .webp, .png
/// ```
public struct Animation: Hashable, Sendable {
    /// What an animation is written as.
    public enum Format: String, CaseIterable, Hashable, Sendable {
        /// At most 256 colours, which are chosen for all frames together where there are more.
        case gif
        /// Every colour as it is; sides of at most 16,383 pixels.
        case webp
        /// Every colour as it is. Programs that know nothing of animations show the first frame.
        case png
    }

    /// In colour, all of one size.
    public let frames: [Picture]
    /// How long each frame is shown, in seconds; GIF files round it to hundredths.
    public let secondsPerFrame: Double
    /// Whether it begins again when it is over.
    public let repeats: Bool

    /// - Parameters:
    ///   - frames: at least one, grey or in colour.
    ///   - secondsPerFrame: how long each is shown, 0.01 to 60.
    ///   - repeats: whether it begins again when it is over.
    /// - Throws: `PictureError` when there is no frame, they differ in size, have more pixels in all than
    ///   `Picture.greatestPixelCount`, or are shown for another time.
    public init(_ frames: [Picture], secondsPerFrame: Double = 0.5, repeats: Bool = true) throws(PictureError)
    {
        guard let first = frames.first else {
            throw PictureError(.invalidArgument, "an animation needs at least one frame")
        }
        if let (index, other) = frames.enumerated().first(where: { $1.size != first.size }) {
            throw PictureError(
                .invalidArgument,
                "the frames of an animation have one size, but frame \(index + 1) has \(other.size) pixels and the first has "
                    + "\(first.size); resize them")
        }
        guard frames.count <= Picture.greatestPixelCount / (first.height * first.width) else {
            throw PictureError(
                .tooLarge,
                "\(frames.count) frames of \(first.size) pixels are more than \(Picture.greatestPixelCount) pixels in all; "
                    + "leave frames out, or make them smaller")
        }
        guard (0.01...60).contains(secondsPerFrame) else {
            throw PictureError(
                .invalidArgument, "a frame is shown for 0.01 to 60 seconds, not \(secondsPerFrame)")
        }
        self.frames = frames.map { $0.rgb() }
        self.secondsPerFrame = secondsPerFrame
        self.repeats = repeats
    }

    /// The bytes of a file with the animation.
    ///
    /// - Throws: `PictureError` when the format does not allow such sides, or there is not enough memory.
    public func encoded(as format: Format) throws(PictureError) -> [UInt8] {
        let size = frames[0].size
        let pixels = frames.flatMap(\.pixels)
        var result = fovea_picture_encoded()
        pixels.withUnsafeBufferPointer { pixels in
            var animation = fovea_animation()
            animation.pixels = pixels.baseAddress
            animation.count = Int32(frames.count)
            animation.height = Int32(size.height)
            animation.width = Int32(size.width)
            animation.milliseconds = Int32((secondsPerFrame * 1000).rounded())
            animation.repeats = repeats ? 1 : 0
            switch format {
            case .gif: fovea_animation_encode_gif(&animation, &result)
            case .webp: fovea_animation_encode_webp(&animation, &result)
            case .png: fovea_animation_encode_png(&animation, &result)
            }
        }
        defer { fovea_picture_release_encoded(&result) }
        guard result.succeeded == 1, let bytes = result.bytes else {
            throw PictureError(
                .encoding,
                "\(frames.count) frames of \(size) pixels cannot be written as \(format.rawValue): \(text(result.message))"
            )
        }
        return [UInt8](UnsafeBufferPointer(start: bytes, count: result.count))
    }

    /// Writes the animation to a file, whole or not at all, in the format that the ending of its name says: `.gif`, `.webp` or
    /// `.png`.
    ///
    /// - Throws: `PictureError` for another ending and as `encoded(as:)`; `FileError` when the file cannot be written.
    public func write(to file: some PathConvertible) throws {
        let path = file.filePath
        guard let dot = path.lastIndex(of: "."),
            let format = Format(rawValue: path[path.index(after: dot)...].lowercased())
        else {
            throw PictureError(
                .invalidArgument, file: path,
                "animations are written as .gif, .webp or .png, by the ending of the file's name")
        }
        try AtomicFile.write(encoded(as: format), to: file)
    }
}
