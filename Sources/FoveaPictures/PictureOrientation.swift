/// How the stored rows and columns of a picture lie in the picture that is meant (EXIF 2.3, tag 0x0112), as Pillow's
/// `exif_transpose` finds it: EXIF data come first, and XMP counts where these have no such tag.
struct PictureOrientation {
    /// 1 to 8; 1 is as stored.
    let code: Int

    /// Whether stored rows are columns of the picture.
    var swapsSides: Bool { code >= 5 }

    /// What the file says; as stored where it says nothing that can be read.
    init(_ bytes: [UInt8], _ format: PictureFormat) {
        let metadata = PictureMetadata(bytes, format)
        let stated =
            metadata.exif.flatMap { PictureOrientation.code(exif: $0) }
            ?? metadata.xmp.flatMap { PictureOrientation.code(xmp: $0) } ?? 1
        code = (1...8).contains(stated) ? stated : 1
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

    /// The entry 0x0112 of the first directory of a TIFF structure, which may be no orientation; nil where there is no such
    /// entry.
    private static func code(exif: ByteRange) -> Int? {
        var tiff = exif
        while tiff.starts(with: PictureMetadata.exifPrefix) {
            tiff = tiff.part(from: PictureMetadata.exifPrefix.utf8.count)
        }
        let isBigEndian = tiff.starts(with: "MM")
        guard isBigEndian || tiff.starts(with: "II"),
            let magic = tiff.number(2, bytes: 2, isBigEndian: true), magic == 42 || magic == 42 << 8,
            let directory = tiff.number(4, bytes: 4, isBigEndian: isBigEndian),
            let count = tiff.number(directory, bytes: 2, isBigEndian: isBigEndian)
        else { return nil }
        for index in 0..<count {
            let entry = directory + 2 + 12 * index
            func number(_ place: Int, _ bytes: Int) -> Int? {
                tiff.number(place, bytes: bytes, isBigEndian: isBigEndian)
            }
            guard let tag = number(entry, 2), let type = number(entry + 2, 2),
                let valueCount = number(entry + 4, 4), let value = number(entry + 8, 4)
            else { return nil }
            guard tag == 0x0112, (1...13).contains(type), valueCount > 0 else { continue }
            // Numbers of 16 bits, or of 32 from some programs.
            let width = [3: 2, 8: 2, 4: 4, 9: 4, 13: 4][type]
            guard let width else { return 0 }
            // What goes not into four bytes lies elsewhere.
            return number(valueCount * width > 4 ? value : entry + 8, width) ?? 0
        }
        return nil
    }

    /// The first digit that is given as `tiff:Orientation`, as an attribute or an element; nil where there is none.
    private static func code(xmp: ByteRange) -> Int? {
        let name = Array("tiff:Orientation".utf8)
        return xmp.slice.withUnsafeBufferPointer { bytes in
            for start in 0..<max(bytes.count - name.count, 0) where bytes[start] == name[0] {
                guard bytes[start...].starts(with: name) else { continue }
                let rest = bytes[(start + name.count)...].prefix(3)
                let digit =
                    rest.starts(with: [0x3D, 0x22])
                    ? rest.dropFirst(2).first
                    : rest.first == 0x3E ? rest.dropFirst().first : nil
                if let digit, (0x30...0x39).contains(digit) { return Int(digit) - 0x30 }
            }
            return nil
        }
    }
}
