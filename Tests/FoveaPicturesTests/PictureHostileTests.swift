import CZlib
import FoveaGraph
import Testing

@testable import FoveaPictures

/// Files that are cut short, damaged or lie about their size.
@Suite struct PictureHostileTests {
    let golden: PictureGolden

    init() throws { golden = try PictureGolden.shared.get() }

    private func failure(_ bytes: [UInt8], limit: Int = Picture.greatestPixelCount) -> PictureError? {
        do throws(PictureError) {
            _ = try Picture.decode(bytes, Picture.DecodingOptions(greatestPixelCount: limit))
            return nil
        } catch {
            return error
        }
    }

    @Test func everyTruncationThrowsOrDecodes() throws {
        for (name, bytes) in golden.files() {
            let whole = try Picture.decode(bytes)
            for count in 0..<bytes.count {
                do throws(PictureError) {
                    let picture = try Picture.decode(Array(bytes[..<count]))
                    // What is left out may say how the picture is turned.
                    #expect(picture.pixels.count == whole.pixels.count, "\(name) of \(count) bytes")
                } catch {
                    #expect(!error.message.isEmpty)
                }
            }
        }
    }

    @Test(arguments: ["jpeg 4:2:0", "png kind 2 of 8 bits", "gif", "webp lossy", "bmp 24", "pnm P5 to 255"])
    func halvesAreCalledTruncated(name: String) throws {
        let bytes = try golden.file(name)
        let error = try #require(failure(Array(bytes[..<(bytes.count / 2)])))
        #expect(error.kind == .truncated, "\(error)")
    }

    /// Whatever is cut off, a message claims no more than that.
    @Test(arguments: [
        ("png kind 2 of 8 bits", 12, "has all pixels, but ends before its end mark (IEND)"),
        ("png kind 2 of 8 bits", 16, "has all pixels, but ends before its end mark (IEND)"),
        ("png kind 2 of 8 bits interlaced", 16, "has all pixels, but ends before its end mark (IEND)"),
        ("png kind 2 of 8 bits interlaced", 40, "ends before its last pixel"),
        ("png kind 2 of 8 bits", 40, "ends before its last pixel"),
        ("jpeg 4:2:0", 1, "has all pixels, but ends before its end mark (EOI)"),
        ("jpeg 4:2:0", 2, "has all pixels, but ends before its end mark (EOI)"),
        ("jpeg grey", 2, "has all pixels, but ends before its end mark (EOI)"),
        ("jpeg CMYK", 2, "has all pixels, but ends before its end mark (EOI)"),
        ("jpeg restarts", 2, "has all pixels, but ends before its end mark (EOI)"),
        ("jpeg with idle bytes before its end", 2, "has all pixels, but ends before its end mark (EOI)"),
        ("jpeg with idle bytes before its end", 5, "has all pixels, but ends before its end mark (EOI)"),
        ("jpeg 4:2:0", 12, "ends before its last pixel"),
        ("jpeg restarts", 12, "ends before its last pixel"),
        ("jpeg progressive", 2, "ends before its end mark (EOI), perhaps before its last scan"),
        ("jpeg progressive", 60, "ends before its end mark (EOI), perhaps before its last scan"),
        ("jpeg arithmetic", 2, "ends before its end mark (EOI), perhaps before its last scan"),
        ("gif", 2, "ends inside the data of its first frame"),
        ("gif", 60, "ends inside the data of its first frame"),
        ("webp orientation 6", 4, "has fewer bytes than its header says"),
        ("webp lossy", 40, "has fewer bytes than its header says"),
        ("webp animated", 40, "has fewer bytes than its header says"),
        ("bmp 24", 20, "ends before its last pixel"),
        ("bmp 4 of runs", 6, "ends before the end mark of its runs of pixels"),
    ]) func whatIsMissingIsNamed(name: String, count: Int, message: String) throws {
        let error = try #require(failure(Array(try golden.file(name).dropLast(count))))
        #expect(error.kind == .truncated)
        #expect(error.message.hasSuffix(" picture \(message); copy or download it again"), "\(error)")
    }

    /// Only what is wrong with the pixels is told of files that are whole.
    @Test func pixelsThatAreMissingInsideAreNoCut() throws {
        // A canvas of 2×2 pixels of two colours: codes for clear, one pixel and the end, of 3 bits each.
        let start = Array("GIF89a".utf8) + [2, 0, 2, 0, 0x80, 0, 0, 0, 0, 0, 255, 255, 255]
        let gif = start + [0x2C, 0, 0, 0, 0, 2, 0, 2, 0, 0, 2, 2, 4 | 1 << 3 | (5 & 3) << 6, 5 >> 2, 0, 0x3B]
        let error = try #require(failure(gif))
        #expect(
            error.kind == .corrupt && error.message.contains("first frame with too few pixels"), "\(error)")
        // Nothing but a header, and half of the pixels; both with sizes that are right.
        let lossy = try golden.file("webp lossy")
        let empty = Array("RIFF\u{4}\0\0\0WEBP".utf8)
        var half = Array(lossy[..<(lossy.count / 4 * 2)])
        for (place, size) in [(4, half.count - 8), (16, half.count - 20)] {
            half.replaceSubrange(place..<(place + 4), with: be32(size).reversed())
        }
        #expect(lossy[12..<16].elementsEqual("VP8 ".utf8))
        let (none, few) = (try #require(failure(empty)), try #require(failure(half)))
        #expect(none.kind == .corrupt && none.message.contains("cannot be decoded"), "\(none)")
        #expect(few.kind == .corrupt && few.message.contains("fewer bytes of pixels"), "\(few)")
    }

    @Test func messagesOfOthersStandBehindAColon() throws {
        var gif = try golden.file("gif")
        // No block begins so.
        let frame = try #require(gif.indices.first { gif[$0...].starts(with: [0x2C, 0, 0, 0, 0]) })
        gif[frame] = 1
        let error = try #require(failure(gif))
        #expect(error.message.hasPrefix("the GIF picture cannot be decoded: "), "\(error)")
        var bmp = try golden.file("bmp 24")
        bmp.replaceSubrange(18..<22, with: [0xD0, 0xFF, 0xFF, 0xFF])
        let negative = try #require(failure(bmp))
        #expect(negative.kind == .corrupt && negative.message.contains("width -48"), "\(negative)")
    }

    @Test func flippedBytesThrowOrDecode() throws {
        var state: UInt64 = 42
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % count
        }
        let options = Picture.DecodingOptions(background: .white, greatestPixelCount: 1 << 16)
        for (_, bytes) in golden.files() {
            for _ in 0..<60 {
                var damaged = bytes
                for _ in 0...random(4) { damaged[random(bytes.count)] = UInt8(random(256)) }
                if let picture = try? Picture.decode(damaged, options) {
                    #expect(picture.pixels.count == picture.height * picture.width * picture.channels)
                    #expect(picture.height * picture.width <= 1 << 16)
                }
            }
        }
    }

    /// A file of each format that claims 60,000×60,000 pixels.
    private func claims() throws -> [(String, [UInt8])] {
        let side: [UInt8] = [0xEA, 0x60]
        let little: [UInt8] = [0x60, 0xEA]
        var jpeg = try golden.file("jpeg 4:2:0")
        let frame = try #require(jpeg.indices.first { jpeg[$0...].starts(with: [0xFF, 0xC0]) })
        jpeg.replaceSubrange((frame + 5)..<(frame + 9), with: side + side)
        let header = be32(60_000) + be32(60_000) + [8, 2, 0, 0, 0]
        let png = pngSignature + pngChunk("IHDR", header) + pngChunk("IDAT", [0x78, 0x9C, 0x01])
        var gif = try golden.file("gif")
        gif.replaceSubrange(6..<10, with: little + little)
        // The canvas of an extended WebP file, less 1.
        let canvas: [UInt8] = [0x5F, 0xEA, 0, 0x5F, 0xEA, 0]
        var webp = try golden.file("webp animated")
        let extended = try #require(webp.indices.first { webp[$0...].starts(with: "VP8X".utf8) })
        webp.replaceSubrange((extended + 12)..<(extended + 18), with: canvas)
        var bmp = try golden.file("bmp 24")
        bmp.replaceSubrange(18..<26, with: little + [0, 0] + little + [0, 0])
        return [
            ("JPEG", jpeg), ("PNG", png), ("GIF", gif), ("WebP", webp), ("BMP", bmp),
            ("PNM", Array("P6 60000 60000 255\n".utf8)), ("PNM", Array("P1 60000 60000\n1".utf8)),
        ]
    }

    @Test func claimsOfHugePicturesAreRefused() throws {
        for (format, bytes) in try claims() {
            let error = try #require(failure(bytes))
            #expect(error.kind == .tooLarge, "\(error)")
            #expect(error.message.hasPrefix("the \(format) picture has 60000×60000 pixels"), "\(error)")
        }
    }

    @Test func theLimitIsThatOfTheOptions() throws {
        for name in ["jpeg 4:2:0", "png kind 2 of 8 bits", "gif", "webp lossy", "bmp 24", "pnm P5 to 255"] {
            let bytes = try golden.file(name)
            let size = try Picture.decode(bytes).size
            #expect(failure(bytes, limit: size.height * size.width) == nil)
            #expect(failure(bytes, limit: size.height * size.width - 1)?.kind == .tooLarge)
            #expect(failure(bytes, limit: 0)?.kind == .invalidArgument)
        }
    }

    @Test func smallFilesOfManyPixelsAreRefusedBeforeMemoryIsTaken() throws {
        let header = be32(8_000) + be32(8_000) + [8, 6, 0, 0, 0]
        let png = pngSignature + pngChunk("IHDR", header) + pngChunk("IDAT", [0x78, 0x9C, 0x01])
        #expect(failure(png)?.kind == .truncated)
        #expect(failure(Array("P6 8000 8000 255\nabc".utf8))?.kind == .truncated)
        #expect(failure(Array("P2 8000 8000 255\n1 2 3".utf8))?.kind == .truncated)
    }

    @Test func dataBehindTheLastPixelIsNotUnpacked() throws {
        // 2×2 grey pixels in rows of a filter byte and two samples, and 64 MiB of zeros behind them.
        let rows: [UInt8] = [0, 10, 20, 0, 30, 40]
        let packed = try deflated(rows + [UInt8](repeating: 0, count: 1 << 26))
        #expect(packed.count < 1 << 17)
        let header = be32(2) + be32(2) + [8, 0, 0, 0, 0]
        let png =
            pngSignature + pngChunk("IHDR", header) + pngChunk("IDAT", packed) + pngChunk("IEND", [])
        let picture = try Picture.decode(png)
        #expect(picture.pixels == [10, 20, 30, 40])
    }

    @Test func profilesAndTextsAreNotUnpacked() throws {
        let bomb = Array("name".utf8) + [0, 0] + (try deflated([UInt8](repeating: 0, count: 1 << 24)))
        let file = try golden.file("png kind 2 of 8 bits")
        // Behind the signature and the header.
        for kind in ["iCCP", "zTXt"] {
            let bytes = Array(file[..<33]) + pngChunk(kind, bomb) + Array(file[33...])
            #expect(try Picture.decode(bytes) == Picture.decode(file))
        }
    }

    /// A progressive picture of 8×8 grey pixels: one scan for the mean, one for each of the other 63 coefficients, and up
    /// to 63 that refine these. All say that every coefficient is 0.
    private func progressive(scanCount: Int) -> [UInt8] {
        let code: [UInt8] = [1] + [UInt8](repeating: 0, count: 16)
        var bytes: [UInt8] = [0xFF, 0xD8, 0xFF, 0xDB, 0, 0x43, 0] + [UInt8](repeating: 1, count: 64)
        bytes += [0xFF, 0xC2, 0, 11, 8, 0, 8, 0, 8, 1, 1, 0x11, 0]
        bytes += [0xFF, 0xC4, 0, 20, 0x00] + code + [0xFF, 0xC4, 0, 20, 0x10] + code
        for scan in 0..<scanCount {
            let place = UInt8(scan == 0 ? 0 : (scan - 1) % 63 + 1)
            let precision: UInt8 = scan == 0 ? 0 : scan <= 63 ? 0x01 : 0x10
            bytes += [0xFF, 0xDA, 0, 8, 1, 1, 0, place, place, precision, 0x7F]
        }
        return bytes + [0xFF, 0xD9]
    }

    @Test func scansAreLimited() throws {
        let picture = try Picture.decode(progressive(scanCount: 100))
        #expect(picture.pixels == [UInt8](repeating: 128, count: 64))
        let error = try #require(failure(progressive(scanCount: 101)))
        #expect(error.kind == .tooLarge && error.message.contains("100 scans"), "\(error)")
    }

    @Test func otherPrecisionsAndProcessesOfJPEGAreUnsupported() throws {
        var bytes = try golden.file("jpeg 4:2:0")
        let frame = try #require(bytes.indices.first { bytes[$0...].starts(with: [0xFF, 0xC0]) })
        bytes[frame + 4] = 12
        #expect(failure(bytes)?.kind == .unsupported)
        bytes[frame + 4] = 8
        bytes[frame + 1] = 0xC3
        #expect(failure(bytes)?.kind == .unsupported)
    }

    @Test func whatIsNoPictureIsNamed() throws {
        let cases: [(String, PictureError.Kind, String)] = [
            ("", .truncated, "is empty"), ("hello", .unknownFormat, "68 65 6c 6c 6f"),
            ("II*\0....", .unsupported, "TIFF"), ("\0\0\0 ftypavif", .unsupported, "AVIF"),
            ("<!DOCTYPE html><html>", .unsupported, "web page"), ("<svg xmlns=", .unsupported, "SVG"),
            ("P7\nWIDTH 4", .unsupported, "PAM"),
            ("P", .unknownFormat, "50"),
        ]
        for (text, kind, part) in cases {
            let error = try #require(failure(Array(text.utf8)))
            #expect(error.kind == kind)
            #expect(error.message.contains(part), "\(error)")
        }
        let packed = try #require(failure([0x1F, 0x8B, 8, 0]))
        #expect(packed.kind == .unsupported && packed.message.contains("unpacked first"))
    }

    @Test func pixelsBeginNeitherInTheHeaderNorInThePalette() throws {
        func refusal(_ name: String, start: Int) throws -> PictureError? {
            var bytes = try golden.file(name)
            bytes.replaceSubrange(10..<14, with: be32(start).reversed())
            return failure(bytes)
        }
        let end = 54 + 1024
        for (name, starts) in [
            ("bmp 8 of 256 colours with pixels at 0", [1, 14, 53, 55, 58, end - 4, end - 1]),
            ("bmp 8 with pixels at 0", [1, 53, 55, end - 1]), ("bmp 24", [1, 14, 53]),
            ("bmp 16 by masks with pixels at 0", [53, 54, 65]), ("bmp 4 of OS/2 with pixels at 0", [25, 27]),
            ("bmp 8 of runs with pixels at 0", [20, 55]),
        ] {
            for start in starts {
                let error = try #require(try refusal(name, start: start), "\(name) at \(start)")
                #expect(error.kind == .corrupt && error.message.contains("at byte \(start), but"), "\(error)")
            }
        }
        // The palette may end before its 256th colour, but not before one that a pixel has.
        let error = try #require(try refusal("bmp 8 with pixels at 0", start: 54 + 16))
        #expect(error.kind == .corrupt && error.message.contains("a palette of 4 colours"), "\(error)")
        #expect(try refusal("bmp 8 of 256 colours with pixels at 0", start: end + 2)?.kind == .truncated)
        #expect(try refusal("bmp 8 of 256 colours with pixels at 0", start: 0xFFFF_FFFF)?.kind == .truncated)
    }

    /// As stored where what tells the orientation cannot be read, and never more than a mebibyte of it.
    @Test func textsThatTellNoOrientation() throws {
        let file = try golden.file("png kind 2 of 8 bits")
        let stored = try Picture.decode(file)
        func decoded(_ kind: String, _ body: [UInt8]) throws -> Picture {
            try Picture.decode(Array(file[..<33]) + pngChunk(kind, body) + Array(file[33...]))
        }
        let profile = Array("Raw profile type exif\0".utf8)
        let exif = "45786966000049492a00080000000100120103000100000006000000"
        let international = Array("XML:com.adobe.xmp\0\u{1}\0\0\0".utf8)
        let xmp = Array("tiff:Orientation=\"6\"".utf8)
        // What the others are damaged copies of.
        #expect(try decoded("tEXt", profile + Array("\nexif\n 28\n\(exif)\n".utf8)).size != stored.size)
        #expect(try decoded("iTXt", international + deflated(xmp)).size != stored.size)
        for text in ["", "\n", "\n\n\n", "\n\n\n0", "\n\n\ngg", "\nexif\n \(exif)", "\n\n\n\(exif)x"] {
            #expect(try decoded("tEXt", profile + Array(text.utf8)) == stored, "\(text)")
        }
        let bomb = try deflated([UInt8](repeating: 32, count: 1 << 24) + xmp)
        let damaged: [[UInt8]] = [bomb, [], [1, 2, 3], try deflated(xmp).dropLast(5), bomb.reversed()]
        for packed in damaged {
            #expect(try decoded("iTXt", international + packed) == stored)
            #expect(try decoded("zTXt", profile + [0] + packed) == stored)
            #expect(try decoded("zTXt", profile + packed) == stored)
        }
        for body in ["XML:com.adobe.xmp", "XML:com.adobe.xmp\0", "XML:com.adobe.xmp\0\0\0de\0"] {
            for kind in ["tEXt", "zTXt", "iTXt"] {
                #expect(try decoded(kind, Array(body.utf8)) == stored)
                #expect(try decoded(kind, Array((body + "tiff:Orientation=\"").utf8)) == stored)
            }
        }
    }

    @Test func headersThatContradictThemselvesThrow() throws {
        for text in [
            "P5 0 4 255\n", "P5 4 4 0\n0123456789abcdef", "P5 4 4 65536\n", "P5 x 4 255\n", "P2 1 1 5 6",
            "P1 1 1 2",
            "P5 99999999999999999999 1 255\n", "P6 1",
        ] {
            #expect(failure(Array(text.utf8)) != nil, "\(text)")
        }
        let bmp = try golden.file("bmp 24")
        for (place, value) in [(14, 41), (18, 0), (28, 3), (30, 9), (10, 255), (21, 255)] {
            var bytes = bmp
            bytes[place] = UInt8(value)
            #expect(failure(bytes) != nil, "byte \(place) is \(value)")
        }
    }

    private let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    private func be32(_ value: Int) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    private func pngChunk(_ kind: String, _ body: [UInt8]) -> [UInt8] {
        let named = Array(kind.utf8) + body
        return be32(body.count) + named + be32(Int(crc32(0, named, UInt32(named.count))))
    }

    private func deflated(_ bytes: [UInt8]) throws -> [UInt8] {
        var count = compressBound(UInt(bytes.count))
        var packed = [UInt8](repeating: 0, count: Int(count))
        try #require(compress2(&packed, &count, bytes, UInt(bytes.count), 9) == Z_OK)
        return Array(packed.prefix(Int(count)))
    }
}
