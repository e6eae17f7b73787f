/// How the stored rows and columns of a picture lie in the picture that is meant (EXIF 2.3, tag 0x0112).
struct PictureOrientation {
    /// 1 to 8; 1 is as stored.
    let code: Int

    /// Whether stored rows are columns of the picture.
    var swapsSides: Bool { code >= 5 }

    /// What the file says; as stored where it says nothing that can be read.
    init(_ bytes: [UInt8], _ format: PictureFormat) {
        let exif =
            switch format {
            case .jpeg: PictureOrientation.exifInJPEG(bytes)
            case .png: PictureOrientation.exifInPNG(bytes)
            case .webP: PictureOrientation.exifInWebP(bytes)
            case .gif, .bmp, .pnm: ByteRange?.none
            }
        code = exif.flatMap { PictureOrientation.code(in: $0) } ?? 1
    }

    /// The pixels in their places.
    func applied(to picture: Picture) -> Picture {
        guard code != 1 else { return picture }
        let (rows, columns, channels) = (picture.height, picture.width, picture.channels)
        let (height, width) = swapsSides ? (columns, rows) : (rows, columns)
        // Pixels to go in the stored picture for one step right and one step down in the result.
        let mirrorsRows = [3, 4, 6, 7].contains(code)
        let mirrorsColumns = [2, 3, 7, 8].contains(code)
        let (alongRows, alongColumns) = (mirrorsRows ? -columns : columns, mirrorsColumns ? -1 : 1)
        let start = (mirrorsRows ? (rows - 1) * columns : 0) + (mirrorsColumns ? columns - 1 : 0)
        let (right, down) = swapsSides ? (alongRows, alongColumns) : (alongColumns, alongRows)
        let pixels = [UInt8](unsafeUninitializedCapacity: picture.pixels.count) { target, count in
            count = picture.pixels.count
            picture.pixels.withUnsafeBufferPointer { source in
                var place = 0
                for y in 0..<height {
                    var from = (start + y * down) * channels
                    for _ in 0..<width {
                        for channel in 0..<channels { target[place + channel] = source[from + channel] }
                        place += channels
                        from += right * channels
                    }
                }
            }
        }
        return Picture(unchecked: height, width, channels, pixels)
    }

    /// The first APP1 segment that holds EXIF data.
    private static func exifInJPEG(_ bytes: [UInt8]) -> ByteRange? {
        let all = ByteRange(bytes)
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
            guard marker != 0xD9, marker != 0xDA else { return nil }
            guard let length = all.number(place, bytes: 2, isBigEndian: true), length >= 2 else { return nil }
            let segment = all.part(place + 2, count: length - 2)
            if marker == 0xE1, segment.starts(with: exifPrefix) { return segment }
            place += length
        }
        return nil
    }

    private static func exifInPNG(_ bytes: [UInt8]) -> ByteRange? {
        let all = ByteRange(bytes)
        var place = 8
        while let length = all.number(place, bytes: 4, isBigEndian: true) {
            if all.part(place + 4, count: 4).starts(with: Array("eXIf".utf8)) {
                return all.part(place + 8, count: length)
            }
            place += 12 + length
        }
        return nil
    }

    private static func exifInWebP(_ bytes: [UInt8]) -> ByteRange? {
        let all = ByteRange(bytes)
        var place = 12
        while let length = all.number(place + 4, bytes: 4, isBigEndian: false) {
            if all.part(place, count: 4).starts(with: Array("EXIF".utf8)) {
                return all.part(place + 8, count: length)
            }
            place += 8 + length + length % 2
        }
        return nil
    }

    private static let exifPrefix: [UInt8] = Array("Exif\0\0".utf8)

    /// The entry 0x0112 of the first directory of a TIFF structure.
    private static func code(in exif: ByteRange) -> Int? {
        var tiff = exif
        while tiff.starts(with: exifPrefix) { tiff = tiff.part(exifPrefix.count, count: tiff.count) }
        let isBigEndian: Bool
        if tiff.starts(with: Array("MM\0*".utf8)) {
            isBigEndian = true
        } else if tiff.starts(with: Array("II*\0".utf8)) {
            isBigEndian = false
        } else {
            return nil
        }
        guard let directory = tiff.number(4, bytes: 4, isBigEndian: isBigEndian),
            let count = tiff.number(directory, bytes: 2, isBigEndian: isBigEndian)
        else { return nil }
        for index in 0..<count {
            let entry = directory + 2 + 12 * index
            guard let tag = tiff.number(entry, bytes: 2, isBigEndian: isBigEndian),
                let type = tiff.number(entry + 2, bytes: 2, isBigEndian: isBigEndian)
            else { return nil }
            guard tag == 0x0112 else { continue }
            // A 16-bit number, or a 32-bit one from some programs.
            let bytes = type == 3 ? 2 : type == 4 ? 4 : 0
            let value = tiff.number(entry + 8, bytes: bytes, isBigEndian: isBigEndian)
            return value.flatMap { (1...8).contains($0) ? $0 : nil }
        }
        return nil
    }
}

/// A part of the bytes of a file; reading past its end gives nil.
struct ByteRange {
    private let bytes: [UInt8]
    private let range: Range<Int>

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        range = 0..<bytes.count
    }

    private init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }

    var count: Int { range.count }

    func byte(_ place: Int) -> UInt8? {
        place >= 0 && place < range.count ? bytes[range.lowerBound + place] : nil
    }

    /// An unsigned number of 0 to 4 bytes.
    func number(_ place: Int, bytes count: Int, isBigEndian: Bool) -> Int? {
        guard place >= 0, place <= range.count, count <= range.count - place else { return nil }
        let start = range.lowerBound + place
        return (0..<count).reduce(0) { value, i in
            value << 8 | Int(bytes[isBigEndian ? start + i : start + count - 1 - i])
        }
    }

    /// Up to `count` bytes from `place` on, as far as there are any.
    func part(_ place: Int, count: Int) -> ByteRange {
        let start = min(max(place, 0), range.count)
        let end = start + min(max(count, 0), range.count - start)
        return ByteRange(bytes, range.lowerBound + start..<range.lowerBound + end)
    }

    func starts(with prefix: [UInt8]) -> Bool { bytes[range].starts(with: prefix) }
}
