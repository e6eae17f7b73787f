/// The formats that pictures are read from, told by the first bytes and never by the name.
public enum PictureFormat: String, Sendable, Hashable, CaseIterable {
    case jpeg = "JPEG"
    case png = "PNG"
    case gif = "GIF"
    case webP = "WebP"
    case bmp = "BMP"
    case pnm = "PNM"

    /// The format that `bytes` begin as; nil for none of these.
    public init?(_ bytes: [UInt8]) {
        guard let format = PictureFormat.allCases.first(where: { $0.begins(bytes) }) else { return nil }
        self = format
    }

    private func begins(_ bytes: [UInt8]) -> Bool {
        switch self {
        case .jpeg: bytes.starts(with: [0xFF, 0xD8, 0xFF])
        case .png: bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        case .gif: bytes.starts(with: "GIF87a".utf8) || bytes.starts(with: "GIF89a".utf8)
        case .webP: bytes.starts(with: "RIFF".utf8) && bytes.dropFirst(8).starts(with: "WEBP".utf8)
        case .bmp: bytes.starts(with: "BM".utf8)
        case .pnm:
            bytes.count > 2 && bytes[0] == UInt8(ascii: "P")
                && (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(bytes[1])
                && (PNM.isSpace(bytes[2]) || bytes[2] == UInt8(ascii: "#"))
        }
    }

    /// Endings of the names of such files, in lower case.
    public var fileExtensions: [String] {
        switch self {
        case .jpeg: ["jpg", "jpeg", "jpe", "jfif"]
        case .png: ["png"]
        case .gif: ["gif"]
        case .webP: ["webp"]
        case .bmp: ["bmp", "dib"]
        case .pnm: ["pnm", "pbm", "pgm", "ppm"]
        }
    }

    /// Endings, in lower case, of the names of pictures that are of other formats.
    package static let otherFileExtensions: Set<String> = [
        "arw", "avif", "cr2", "cr3", "dng", "heic", "heif", "hif", "jp2", "jxl", "nef", "orf", "psd", "raf",
        "rw2", "svg", "tga",
        "tif", "tiff",
    ]

    /// What bytes are that no format here begins with, where their beginning tells.
    static func nameOfOther(_ bytes: [UInt8]) -> String? {
        func isAt(_ place: Int, _ text: String) -> Bool { bytes.dropFirst(place).starts(with: text.utf8) }
        if isAt(0, "II*\0") || isAt(0, "MM\0*") { return "a TIFF picture" }
        if isAt(4, "ftypavif") { return "an AVIF picture" }
        if isAt(4, "ftyp") { return "an HEIC picture or a film" }
        if isAt(4, "jP  ") { return "a JPEG 2000 picture" }
        if isAt(0, "\0\0\u{1}\0") { return "an icon file" }
        if isAt(0, "8BPS") { return "a Photoshop file" }
        if isAt(0, "P7\n") { return "a PAM picture" }
        if isAt(0, "%PDF") { return "a PDF file" }
        if isAt(0, "PK\u{3}\u{4}") { return "a ZIP archive" }
        if bytes.starts(with: [0x1F, 0x8B]) { return "a gzip file, which must be unpacked first" }
        let start = String(decoding: bytes.prefix(64), as: UTF8.self).lowercased()
        if start.contains("<!doctype html") || start.contains("<html") {
            return "a web page, perhaps a server's answer that there is no such picture"
        }
        if start.contains("<svg") || start.contains("<?xml") { return "an XML file, perhaps an SVG drawing" }
        return nil
    }
}
