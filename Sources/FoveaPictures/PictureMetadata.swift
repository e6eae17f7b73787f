import FoveaFiles

/// What a picture file tells of its picture beside the pixels, where Pillow looks for it.
struct PictureMetadata {
    static let exifPrefix = "Exif\0\0"

    /// A TIFF structure; ``exifPrefix`` may stand before it.
    private(set) var exif: ByteRange?
    /// XML as text.
    private(set) var xmp: ByteRange?

    init(_ bytes: [UInt8], _ format: PictureFormat) {
        switch format {
        case .jpeg: readJPEG(ByteRange(bytes))
        case .png: readPNG(ByteRange(bytes))
        case .webP: readWebP(ByteRange(bytes))
        case .gif, .bmp, .pnm: break
        }
    }

    /// APP1 segments. Several of EXIF data are one that is continued; of XMP the last counts.
    private mutating func readJPEG(_ all: ByteRange) {
        let xmpPrefix = "http://ns.adobe.com/xap/1.0/\0"
        var parts: [ByteRange] = []
        var place = 2
        while let marker = all.byte(place + 1), let lead = all.byte(place) {
            // Any number of FF bytes may stand before a marker.
            guard lead == 0xFF, marker != 0xFF else {
                place += 1
                continue
            }
            place += 2
            // Markers without a length: none, TEM, RST0…7 and SOI.
            if marker == 0 || marker == 1 || (0xD0...0xD8).contains(marker) { continue }
            // The end, or a scan: what follows is picture data.
            guard marker != 0xD9, marker != 0xDA else { break }
            guard let length = all.number(place, bytes: 2, isBigEndian: true), length >= 2 else { break }
            let segment = all.part(place + 2, count: length - 2)
            if marker == 0xE1, segment.starts(with: Self.exifPrefix) {
                parts.append(segment.part(from: Self.exifPrefix.utf8.count))
            } else if marker == 0xE1, segment.starts(with: xmpPrefix) {
                xmp = segment.part(from: xmpPrefix.utf8.count)
            }
            place += length
        }
        exif = parts.count > 1 ? ByteRange(parts.flatMap(\.slice)) : parts.first
    }

    /// The chunk of EXIF data, else the text that ImageMagick keeps them in, and the text of XMP. The last of each counts.
    private mutating func readPNG(_ all: ByteRange) {
        var profile: PNGText?
        var text: PNGText?
        var place = 8
        while let length = all.number(place, bytes: 4, isBigEndian: true) {
            let kind = all.part(place + 4, count: 4)
            let body = all.part(place + 8, count: length)
            if kind.starts(with: "IEND") { break }
            if kind.starts(with: "eXIf") { exif = body }
            if let found = PNGText(kind, body) {
                if found.keyword.elementsEqual("Raw profile type exif".utf8) { profile = found }
                if found.keyword.elementsEqual("XML:com.adobe.xmp".utf8) { text = found }
            }
            place += 12 + length
        }
        if exif == nil { exif = profile?.text().flatMap(Self.profile) }
        xmp = text?.text()
    }

    /// The bytes that ImageMagick writes as a text: an empty line, a name, a length, and lines of hexadecimal digits.
    private static func profile(_ text: ByteRange) -> ByteRange? {
        let lines = text.slice.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
        guard lines.count == 4 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lines[3].count / 2)
        var upper: UInt8?
        for character in lines[3] {
            let digit: UInt8
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = character - UInt8(ascii: "A") + 10
            case 0x20, 0x09...0x0D: continue
            default: return nil
            }
            if let first = upper {
                bytes.append(first << 4 | digit)
                upper = nil
            } else {
                upper = digit
            }
        }
        return upper == nil ? ByteRange(bytes) : nil
    }

    /// The first chunk of each kind, where the flags in the file's header announce it.
    private mutating func readWebP(_ all: ByteRange) {
        guard all.part(12, count: 4).starts(with: "VP8X"), let flags = all.byte(20) else { return }
        var place = 12
        while let length = all.number(place + 4, bytes: 4, isBigEndian: false) {
            let kind = all.part(place, count: 4)
            let body = all.part(place + 8, count: length)
            if flags & 8 != 0, exif == nil, kind.starts(with: "EXIF") { exif = body }
            if flags & 4 != 0, xmp == nil, kind.starts(with: "XMP ") { xmp = body }
            place += 8 + length + length % 2
        }
    }
}

/// A chunk of text in a PNG file, packed or not.
private struct PNGText {
    /// The most bytes that a packed text may unpack to, as in Pillow.
    private static let limit = 1 << 20

    let keyword: ArraySlice<UInt8>
    private let isPacked: Bool
    private let body: ByteRange

    /// nil for chunks of other kinds, and for those that lack a part or are packed in an unknown way.
    init?(_ kind: ByteRange, _ chunk: ByteRange) {
        let isInternational = kind.starts(with: "iTXt")
        guard isInternational || kind.starts(with: "tEXt") || kind.starts(with: "zTXt"),
            let (keyword, rest) = chunk.splitAtZero()
        else { return nil }
        self.keyword = keyword.slice
        if isInternational {
            // Whether it is packed, how, its language, and the keyword in this language.
            guard let flag = rest.byte(0), let method = rest.byte(1),
                let (_, second) = rest.part(from: 2).splitAtZero(), let (_, text) = second.splitAtZero(),
                flag == 0 || method == 0
            else { return nil }
            isPacked = flag != 0
            body = text
        } else if kind.starts(with: "zTXt") {
            guard rest.byte(0) == 0 else { return nil }
            isPacked = true
            body = rest.part(from: 1)
        } else {
            isPacked = false
            body = rest
        }
    }

    /// nil where it cannot be unpacked or is too long.
    func text() -> ByteRange? {
        guard isPacked else { return body }
        var waiting = body.slice
        let inflater = try? Inflater<PictureError>(.zlib, path: "") { memory in
            let part = waiting.prefix(memory.count)
            memory.copyBytes(from: part)
            waiting = waiting.dropFirst(part.count)
            return part.count
        }
        guard let inflater,
            let bytes = try? readingBytes(count: Self.limit + 1, inflater.read), bytes.count <= Self.limit
        else { return nil }
        return ByteRange(bytes)
    }
}
