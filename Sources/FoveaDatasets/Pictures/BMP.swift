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
        /// Whether four masks stand behind a header that has no place for them, instead of three.
        let hasAlphaMaskBehind: Bool
        /// As stated; 0 for as many as the bits allow.
        let colorCount: Int
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
            start = try number(10, 4)
            size = try number(14, 4)
            if size == 12 {
                width = try number(18, 2)
                height = try number(20, 2)
                isTopDown = false
                bits = try number(24, 2)
                compression = .none
                hasAlphaMaskBehind = false
                colorCount = 0
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
            hasAlphaMaskBehind = compression == .masksWithAlpha
            self.compression = hasAlphaMaskBehind ? .masks : compression
            colorCount = try number(46, 4)
        }

        /// Rows are filled up to whole 32-bit words.
        var rowLength: Int { (width * bits + 31) / 32 * 4 }

        /// Where row `y` from the top lies among those stored.
        func storedRow(_ y: Int) -> Int { isTopDown ? y : height - 1 - y }
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
        while row < height {
            guard place <= bytes.count - 2 else { throw cutShort }
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
                guard place <= bytes.count - 2 else { throw cutShort }
                x = min(x + Int(bytes[place]), width)
                row += Int(bytes[place + 1])
                place += 2
            default:
                let byteCount = isNarrow ? (Int(value) + 1) / 2 : Int(value)
                guard byteCount <= bytes.count - place else { throw cutShort }
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

    /// RGB of each index; black where the palette ends before it.
    private static func colors(
        of indices: [UInt8], _ bytes: [UInt8], _ header: Header
    ) throws(PictureError) -> [UInt8] {
        let entryLength = header.size == 12 ? 3 : 4
        let first = 14 + header.size
        let most = 1 << header.bits
        let stated = header.colorCount == 0 ? most : min(header.colorCount, most)
        // Old programs leave out colours that no pixel has.
        let count = min(stated, max(header.start - first, 0) / entryLength)
        guard first + count * entryLength <= bytes.count else { throw cutShort }
        var samples: [UInt8] = []
        samples.reserveCapacity(3 * indices.count)
        for index in indices {
            let entry = first + Int(index) * entryLength
            for channel in [2, 1, 0] { samples.append(index < count ? bytes[entry + channel] : 0) }
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
        let red: Mask
        let green: Mask
        let blue: Mask
        let alpha: Mask?

        init(_ bytes: [UInt8], _ header: Header) throws(PictureError) {
            var masks = header.bits == 16 ? [0x7C00, 0x03E0, 0x001F, 0] : [0xFF0000, 0xFF00, 0xFF, 0]
            if header.compression == .masks {
                // In the header from its second version on, behind it otherwise, at the same place.
                let count = header.size >= 56 || header.hasAlphaMaskBehind ? 4 : 3
                for i in 0..<count {
                    let mask = ByteRange(bytes).number(54 + 4 * i, bytes: 4, isBigEndian: false)
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
