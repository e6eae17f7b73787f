import CPictures
import Foundation
import FoveaFiles
import FoveaGraph

extension Picture {
    /// What is wanted of a picture that is read.
    public struct DecodingOptions: Sendable, Hashable {
        /// 1 for grey, 3 for RGB; nil as stored: 1 for what its format calls grey, otherwise 3. A palette is colour,
        /// whatever stands in it.
        public var channels: Int?
        /// What shows through transparent pixels; nil drops transparency and keeps the colours beneath, as Pillow's
        /// `convert("RGB")` does.
        public var background: Color?
        /// JPEG pictures may be decoded smaller, in less time, but no smaller than this: to an eighth, a quarter or a
        /// half (rounded up) of their size, the least that goes into height and width as often as that. As Pillow's
        /// `draft` does. nil decodes all of it; other formats always do.
        public var atLeast: Size2D?
        /// Whether pictures are turned and mirrored as EXIF data, or else XMP, in JPEG, PNG and WebP files say: all that
        /// Pillow's `exif_transpose` heeds.
        public var appliesOrientation: Bool
        /// Larger pictures are refused before memory is taken. At most ``Picture/greatestPixelCount``.
        public var greatestPixelCount: Int

        public init(
            channels: Int? = nil, background: Color? = nil, atLeast: Size2D? = nil,
            appliesOrientation: Bool = true, greatestPixelCount: Int = Picture.greatestPixelCount
        ) {
            self.channels = channels
            self.background = background
            self.atLeast = atLeast
            self.appliesOrientation = appliesOrientation
            self.greatestPixelCount = greatestPixelCount
        }

        fileprivate func check() throws(PictureError) {
            if let channels, channels != 1, channels != 3 {
                throw PictureError(
                    .invalidArgument,
                    "pictures are decoded to 1 channel (grey) or 3 (RGB), not \(channels)")
            }
            if let atLeast, !atLeast.isPositive {
                throw PictureError(
                    .invalidArgument, "the least size must be positive, but \(atLeast) is given")
            }
            guard (1...Picture.greatestPixelCount).contains(greatestPixelCount) else {
                throw PictureError(
                    .invalidArgument,
                    "the limit of pixels must be 1 to \(Picture.greatestPixelCount), not \(greatestPixelCount)"
                )
            }
        }
    }

    /// No file is read that is larger: 256 MiB.
    public static let greatestFileByteCount = 1 << 28

    /// The picture in the bytes of a JPEG, PNG, GIF, WebP, BMP or PNM (P1 to P6) file; of an animation the first frame, on
    /// its canvas. The first bytes tell the format.
    ///
    /// Samples of more than 8 bits keep their upper 8 (PNG) or are scaled (PNM). Colour profiles are not applied. CMYK
    /// pictures are taken for Adobe's, which store 255 for no ink: red is C·K / 255 of the stored samples, and so on. Where a GIF frame leaves its canvas open, the canvas is transparent. Pictures that are cut short are refused.
    ///
    /// - Throws: `PictureError`.
    public static func decode(
        _ bytes: [UInt8], _ options: DecodingOptions = DecodingOptions()
    ) throws(PictureError) -> Picture {
        try decode(bytes, file: nil, options)
    }

    /// - Throws: `PictureError`; see ``decode(_:_:)-([UInt8],_)``.
    public static func decode(
        _ data: Data, _ options: DecodingOptions = DecodingOptions()
    ) throws(PictureError) -> Picture {
        try decode([UInt8](data), file: nil, options)
    }

    /// The picture in a file; its name does not matter.
    ///
    /// - Throws: `PictureError`, naming the file, when it is missing, a folder, unreadable, larger than
    ///   ``greatestFileByteCount``, or no picture; see ``decode(_:_:)-([UInt8],_)``.
    public static func decode(
        contentsOf path: some PathConvertible, _ options: DecodingOptions = DecodingOptions()
    ) throws(PictureError) -> Picture {
        let file = path.filePath
        if let url = path as? URL, !url.isFileURL {
            throw PictureError(.unreadable, file: file, "is not the URL of a file; download it first")
        }
        return try decode(readFile(file), file: file, options)
    }

    private static func decode(
        _ bytes: [UInt8], file: String?, _ options: DecodingOptions
    ) throws(PictureError) -> Picture {
        try options.check()
        guard let format = PictureFormat(bytes) else { throw unknownFormat(bytes, file: file) }
        let orientation = options.appliesOrientation ? PictureOrientation(bytes, format) : nil
        do throws(PictureError) {
            let stored = try format.decode(bytes, options, swapsSides: orientation?.swapsSides ?? false)
            let picture = stored.picture(channels: options.channels, background: options.background)
            return orientation?.applied(to: picture) ?? picture
        } catch {
            throw PictureError(error.kind, file: file, format.explain(error, file: file))
        }
    }

    private static func unknownFormat(_ bytes: [UInt8], file: String?) -> PictureError {
        if bytes.isEmpty {
            return PictureError(.truncated, file: file, "is empty; copy or download it again")
        }
        let expected = "expected \(PictureFormat.allCases.map(\.rawValue).joined(separator: ", "))"
        if let name = PictureFormat.nameOfOther(bytes) {
            return PictureError(.unsupported, file: file, "is \(name); \(expected). Convert or remove it")
        }
        let start = bytes.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return PictureError(
            .unknownFormat, file: file,
            "is no picture: it starts with \(start.joined(separator: " ")); \(expected)")
    }
}

extension PictureFormat {
    fileprivate func decode(
        _ bytes: [UInt8], _ options: Picture.DecodingOptions, swapsSides: Bool
    ) throws(PictureError) -> StoredPicture {
        switch self {
        case .bmp: return try BMP.decode(bytes, greatestPixelCount: options.greatestPixelCount)
        case .pnm: return try PNM.decode(bytes, greatestPixelCount: options.greatestPixelCount)
        case .jpeg, .png, .gif, .webP: break
        }
        var result = fovea_picture_result()
        bytes.withUnsafeBufferPointer { buffer in
            let least = options.atLeast.map { swapsSides ? Size2D($0.width, $0.height) : $0 }
            var request = fovea_picture_request(
                bytes: buffer.baseAddress, count: buffer.count,
                greatest_pixel_count: Int64(options.greatestPixelCount),
                greatest_side: Int32(Picture.greatestSide), keeps_alpha: options.background == nil ? 0 : 1,
                least_height: Int32(clamping: least?.height ?? 0),
                least_width: Int32(clamping: least?.width ?? 0))
            switch self {
            case .jpeg: fovea_picture_decode_jpeg(&request, &result)
            case .png: fovea_picture_decode_png(&request, &result)
            case .gif: fovea_picture_decode_gif(&request, &result)
            case .webP, .bmp, .pnm: fovea_picture_decode_webp(&request, &result)
            }
        }
        defer { fovea_picture_release(&result) }
        let (height, width, channels) = (Int(result.height), Int(result.width), Int(result.channels))
        if let kind = result.status.errorKind {
            throw PictureError(kind, text(result.message))
        }
        let pixels = UnsafeBufferPointer(start: result.pixels, count: height * width * channels)
        return StoredPicture(height: height, width: width, channels: channels, samples: [UInt8](pixels))
    }

    /// A sentence about a failure that begins with the format and ends with a hint.
    fileprivate func explain(_ error: PictureError, file: String?) -> String {
        var subject = "the \(rawValue) picture"
        let ending = file.map { URL(fileURLWithPath: $0).pathExtension.lowercased() } ?? ""
        if !ending.isEmpty, !fileExtensions.contains(ending) {
            subject += " (its name ends in .\(ending), but that does not matter)"
        }
        let hint =
            switch error.kind {
            case .truncated: "copy or download it again"
            case .tooLarge: "scale it down with another program"
            case .unsupported: "save it as PNG with another program"
            case .outOfMemory: "scale it down or free memory"
            default: "copy or download it again, or remove it"
            }
        return "\(subject) \(error.message); \(hint)"
    }
}

extension fovea_picture_status {
    fileprivate var errorKind: PictureError.Kind? {
        switch self {
        case .decoded: nil
        case .truncated: .truncated
        case .corrupt: .corrupt
        case .too_large: .tooLarge
        case .unsupported: .unsupported
        case .out_of_memory: .outOfMemory
        }
    }
}

/// The text in an array of C characters, which Swift sees as a tuple.
func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
}
