/// Windows' and OS/2's bitmaps: 1, 4 and 8 bits with a palette, run-length encoded or not, and 16, 24 and 32 bits, with
/// any masks of adjacent bits. The fourth byte of 32-bit pixels is alpha only where the file has a mask for it.
enum BMP {
    static func decode(_ bytes: [UInt8], greatestPixelCount: Int) throws(PictureError) -> StoredPicture {
        let header = try Header(bytes)
        try StoredPicture.check(
            height: header.height, width: header.width, greatestPixelCount: greatestPixelCount)
        let samples: [UInt8]
        var channels = 3
        switch (header.bits, header.compression) {
        case (1, .none), (4, .none), (8, .none):
            samples = try colors(of: indices(bytes, header), bytes, header)
        case (4, .runs4), (8, .runs8):
            samples = try colors(of: unpackedRuns(bytes, header), bytes, header)
        case (16, .none), (24, .none), (32, .none), (16, .masks), (24, .masks), (32, .masks):
            let masks = try Masks(bytes, header)
            channels = masks.alpha == nil ? 3 : 4
            samples = try maskedSamples(bytes, header, masks)
        default:
            throw PictureError(
                .unsupported,
                "has \(header.bits) bits per pixel with compression \(header.compression.rawValue)")
        }
        return StoredPicture(height: header.height, width: header.width, channels: channels, samples: samples)
    }

    private static let cutShort = PictureError(.truncated, "ends before its last pixel")
    /// Runs may leave out pixels, so it is not known whether any is missing.
    private static let cutShortInRuns = PictureError(
        .truncated, "ends before the end mark of its runs of pixels")

    private enum Compression: Int {
        case none = 0
        case runs8 = 1
        case runs4 = 2
        case masks = 3
        case jpeg = 4
        case png = 5
        case masksWithAlpha = 6
    }

    private struct Header {
        let size: Int
        let height: Int
        let width: Int
        let isTopDown: Bool
        let bits: Int
        let compression: Compression
        /// In the header from its second version on, behind it otherwise, at the same place.
        let maskCount: Int
        let palette: Palette
        /// Where the pixels begin.
        let start: Int

        init(_ bytes: [UInt8]) throws(PictureError) {
            let all = ByteRange(bytes)
            func number(_ place: Int, _ count: Int) throws(PictureError) -> Int {
                guard let number = all.number(place, bytes: count, isBigEndian: false) else {
                    throw BMP.cutShort
                }
                return number
            }
            let stated = try number(10, 4)
            size = try number(14, 4)
            if size == 12 {
                width = try number(18, 2)
                height = try number(20, 2)
                isTopDown = false
                bits = try number(24, 2)
                compression = .none
                maskCount = 0
                palette = Palette(start: 14 + size, entryLength: 3, count: 0, bits: bits)
                start = try palette.startOfPixels(stated)
                return
            }
            guard [40, 52, 56, 64, 108, 124].contains(size) else {
                throw PictureError(.unsupported, "has a header of \(size) bytes, which no known version has")
            }
            width = Int(Int32(truncatingIfNeeded: try number(18, 4)))
            guard width >= 0 else { throw PictureError(.corrupt, "has the negative width \(width)") }
            let rows = Int(Int32(truncatingIfNeeded: try number(22, 4)))
            height = abs(rows)
            isTopDown = rows < 0
            bits = try number(28, 2)
            let code = try number(30, 4)
            // The 64-byte header of OS/2 means something else by 3 and above.
            guard let compression = Compression(rawValue: code), size != 64 || code < 3 else {
                throw PictureError(.unsupported, "has compression \(code), which is not known")
            }
            self.compression = compression == .masksWithAlpha ? .masks : compression
            maskCount = self.compression != .masks ? 0 : size >= 56 || compression == .masksWithAlpha ? 4 : 3
            let end = max(14 + size, Masks.start + 4 * maskCount)
            palette = Palette(start: end, entryLength: 4, count: try number(46, 4), bits: bits)
            start = try palette.startOfPixels(stated)
        }

        /// Rows are filled up to whole 32-bit words.
        var rowLength: Int { (width * bits + 31) / 32 * 4 }

        /// Where row `y` from the top lies among those stored.
        func storedRow(_ y: Int) -> Int { isTopDown ? y : height - 1 - y }
    }

    /// Where the colours of indices lie: behind the header and its masks.
    private struct Palette {
        let start: Int
        let entryLength: Int
        /// How many colours there are; none where pixels are colours themselves.
        let count: Int
        /// The most that an index can reach.
        let reach: Int
        /// Whether the header leaves the number of colours to that of bits. Old programs then leave out colours that no pixel
        /// has.
        let mayBeShorter: Bool

        init(start: Int, entryLength: Int, count: Int, bits: Int) {
            self.start = start
            self.entryLength = entryLength
            mayBeShorter = count == 0
            self.count = bits > 8 ? 0 : count == 0 ? 1 << bits : count
            reach = bits > 8 ? 0 : min(self.count, 1 << bits)
        }

        /// Where the pixels begin: as stated, but behind the palette where 0 or the palette's beginning is, as Pillow has it.
        ///
        /// - Throws: `PictureError` when they are said to begin elsewhere in header or palette.
        func startOfPixels(_ stated: Int) throws(PictureError) -> Int {
            if stated == 0 || stated == start { return start + count * entryLength }
            let end = start + reach * entryLength
            let isShorter = mayBeShorter && stated > start && (stated - start).isMultiple(of: entryLength)
            guard stated >= end || isShorter else {
                throw PictureError(
                    .corrupt,
                    "says that its pixels begin at byte \(stated), but its header and palette take \(end) bytes"
                )
            }
            return stated
        }
    }

    /// Refuses files with fewer bytes than the rows take.
    private static func checkRows(_ bytes: [UInt8], _ header: Header) throws(PictureError) {
        // Programs leave out what fills up the last row.
        let needed = (header.height - 1) * header.rowLength + (header.width * header.bits + 7) / 8
        guard header.start <= bytes.count, needed <= bytes.count - header.start else { throw cutShort }
    }

    /// The palette's index of each pixel, rows from the top.
    private static func indices(_ bytes: [UInt8], _ header: Header) throws(PictureError) -> [UInt8] {
        try checkRows(bytes, header)
        let (bits, perByte) = (header.bits, 8 / header.bits)
        let mask = UInt8((1 << bits) - 1)
        var indices: [UInt8] = []
        indices.reserveCapacity(header.height * header.width)
        for y in 0..<header.height {
            let row = header.start + header.storedRow(y) * header.rowLength
            for x in 0..<header.width {
                let shift = 8 - bits - x % perByte * bits
                indices.append(bytes[row + x / perByte] >> shift & mask)
            }
        }
        return indices
    }

    /// Runs of equal or given indices, ends of rows and jumps. Pixels that nothing is said of have index 0.
    private static func unpackedRuns(_ bytes: [UInt8], _ header: Header) throws(PictureError) -> [UInt8] {
        let (height, width, isNarrow) = (header.height, header.width, header.bits == 4)
        var indices = [UInt8](repeating: 0, count: height * width)
        var place = header.start
        var (x, row) = (0, 0)
        func put(_ index: UInt8) {
            guard x < width else { return }
            let y = header.isTopDown ? row : height - 1 - row
            indices[y * width + x] = index
            x += 1
        }
        // Some programs leave out the end mark.
        while row < height, row < height - 1 || x < width {
            guard place <= bytes.count - 2 else { throw cutShortInRuns }
            let (count, value) = (Int(bytes[place]), bytes[place + 1])
            place += 2
            if count > 0 {
                for i in 0..<count {
                    put(isNarrow ? (i.isMultiple(of: 2) ? value >> 4 : value & 15) : value)
                }
                continue
            }
            switch value {
            case 0: (x, row) = (0, row + 1)
            case 1: return indices
            case 2:
                guard place <= bytes.count - 2 else { throw cutShortInRuns }
                x = min(x + Int(bytes[place]), width)
                row += Int(bytes[place + 1])
                place += 2
            default:
                let byteCount = isNarrow ? (Int(value) + 1) / 2 : Int(value)
                guard byteCount <= bytes.count - place else { throw cutShortInRuns }
                for i in 0..<Int(value) {
                    let byte = bytes[place + (isNarrow ? i / 2 : i)]
                    put(isNarrow ? (i.isMultiple(of: 2) ? byte >> 4 : byte & 15) : byte)
                }
                // Filled up to 16-bit words.
                place += byteCount + byteCount % 2
            }
        }
        return indices
    }

    /// RGB of each index; black where the palette is said to end before it.
    private static func colors(
        of indices: [UInt8], _ bytes: [UInt8], _ header: Header
    ) throws(PictureError) -> [UInt8] {
        let palette = header.palette
        let known = min(palette.reach, (header.start - palette.start) / palette.entryLength)
        var samples: [UInt8] = []
        samples.reserveCapacity(3 * indices.count)
        for index in indices {
            guard index < known || index >= palette.count else {
                throw PictureError(
                    .corrupt,
                    "has a pixel of colour \(index), but a palette of \(known) colours before its pixels")
            }
            let entry = palette.start + Int(index) * palette.entryLength
            for channel in [2, 1, 0] { samples.append(index < known ? bytes[entry + channel] : 0) }
        }
        return samples
    }

    /// Where in a pixel's bits a sample lies.
    private struct Mask {
        let shift: Int
        let greatest: Int

        init(_ bits: Int) throws(PictureError) {
            shift = bits.trailingZeroBitCount
            greatest = bits >> shift
            guard bits != 0, greatest & (greatest + 1) == 0 else {
                throw PictureError(.unsupported, "has masks for its samples that are not of adjacent bits")
            }
        }

        func sample(_ pixel: Int) -> UInt8 { UInt8((pixel >> shift & greatest) * 255 / greatest) }
    }

    private struct Masks {
        static let start = 54

        let red: Mask
        let green: Mask
        let blue: Mask
        let alpha: Mask?

        init(_ bytes: [UInt8], _ header: Header) throws(PictureError) {
            var masks = header.bits == 16 ? [0x7C00, 0x03E0, 0x001F, 0] : [0xFF0000, 0xFF00, 0xFF, 0]
            if header.compression == .masks {
                for i in 0..<header.maskCount {
                    let mask = ByteRange(bytes).number(Self.start + 4 * i, bytes: 4, isBigEndian: false)
                    guard let mask else { throw BMP.cutShort }
                    masks[i] = mask
                }
            }
            red = try Mask(masks[0])
            green = try Mask(masks[1])
            blue = try Mask(masks[2])
            alpha = masks[3] == 0 ? nil : try Mask(masks[3])
        }
    }

    private static func maskedSamples(
        _ bytes: [UInt8], _ header: Header, _ masks: Masks
    ) throws(PictureError) -> [UInt8] {
        try checkRows(bytes, header)
        let bytesPerPixel = header.bits / 8
        let channels = masks.alpha == nil ? 3 : 4
        var samples: [UInt8] = []
        samples.reserveCapacity(header.height * header.width * channels)
        for y in 0..<header.height {
            var place = header.start + header.storedRow(y) * header.rowLength
            for _ in 0..<header.width {
                var pixel = 0
                for i in 0..<bytesPerPixel { pixel |= Int(bytes[place + i]) << (8 * i) }
                place += bytesPerPixel
                samples.append(masks.red.sample(pixel))
                samples.append(masks.green.sample(pixel))
                samples.append(masks.blue.sample(pixel))
                if let alpha = masks.alpha { samples.append(alpha.sample(pixel)) }
            }
        }
        return samples
    }
}
