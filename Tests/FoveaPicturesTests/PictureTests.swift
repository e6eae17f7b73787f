import Foundation
import FoveaGraph
import TestSupport
import Testing

@testable import FoveaPictures

@Suite struct PictureTests {
    /// Samples that tell their places.
    private func numbered(_ height: Int, _ width: Int, _ channels: Int = 3) throws -> Picture {
        let pixels = (0..<(height * width * channels)).map { UInt8($0 * 7 % 251) }
        return try Picture(height: height, width: width, channels: channels, pixels: pixels)
    }

    @Test func initializersCheck() throws {
        for (height, width, channels, count) in [
            (0, 1, 1, 0), (1, -1, 1, 0), (1, 1, 2, 2), (1, 1, 4, 4), (2, 2, 1, 3), (65_536, 1, 1, 65_536),
            (Int.max, Int.max, 3, 3), (60_000, 60_000, 1, 0),
        ] {
            #expect(throws: PictureError.self) {
                try Picture(
                    height: height, width: width, channels: channels,
                    pixels: [UInt8](repeating: 0, count: count))
            }
        }
        let grey = try Picture(height: 2, width: 3, channels: 1, color: .init(red: 255, green: 0, blue: 0))
        #expect(grey.pixels == [UInt8](repeating: 76, count: 6))
        #expect(throws: PictureError.self) { try Picture(height: 2, width: 3, channels: 2, color: .black) }
    }

    @Test func tensorsAndBack() throws {
        let picture = try numbered(3, 5)
        let tensor = TensorValue(picture)
        #expect(tensor.shape == [3, 5, 3])
        #expect(tensor.storage == .uint8(picture.pixels))
        #expect(try Picture(tensor) == picture)
        let floats: [Float] = [-3, 0.5, 1.5, 254.6, 300, .nan, .infinity, -.infinity]
        let rounded = try Picture(TensorValue(shape: [2, 4, 1], floats))
        #expect(rounded.pixels == [0, 0, 2, 255, 255, 0, 255, 0])
        let unit = try Picture(TensorValue([[0, 0.5], [1, 2]]), white: 1)
        #expect(unit.pixels == [0, 128, 255, 255] && unit.channels == 1 && unit.height == 2)
        #expect(try Picture(TensorValue([[1, 0]], .uint8), white: 1).pixels == [255, 0])
        for white in [0, -1, .nan, .infinity] as [Float] {
            #expect(throws: PictureError.self) { try Picture(tensor, white: white) }
        }
        #expect(throws: PictureError.self) { try Picture(TensorValue([1, 2, 3] as [Float])) }
        #expect(throws: PictureError.self) { try Picture(TensorValue(repeating: 0, shape: [2, 2, 2])) }
    }

    @Test func pngKeepsEveryBit() throws {
        for picture in [try numbered(7, 5), try numbered(4, 9, 1), try numbered(1, 1, 1)] {
            #expect(try Picture.decode(picture.pngData()) == picture)
        }
    }

    @Test func jpegIsSmallerAtLessQuality() throws {
        let picture = try numbered(40, 33)
        let sizes = try [10, 50, 90, 100].map { try picture.jpegData(quality: $0).count }
        #expect(sizes == sizes.sorted() && Set(sizes).count == 4)
        #expect(try picture.jpegData() == picture.jpegData(quality: 90))
        for quality in [0, 101, -1] {
            #expect(throws: PictureError.self) { try picture.jpegData(quality: quality) }
        }
        let long = try Picture(height: 1, width: 65_535, channels: 1, color: .black)
        let error = #expect(throws: PictureError.self) { try long.jpegData() }
        #expect(error?.kind == .encoding)
    }

    @Test func greyAndBack() throws {
        let colors = try Picture(
            height: 1, width: 3, channels: 3, pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255])
        #expect(colors.grey().pixels == [76, 150, 29])
        #expect(colors.grey().rgb().pixels == [76, 76, 76, 150, 150, 150, 29, 29, 29])
        #expect(colors.rgb() == colors)
    }

    @Test func croppingTakesTheNamedPixels() throws {
        let picture = try numbered(6, 9)
        let part = try picture.cropped(top: 2, left: 3, height: 3, width: 4)
        for y in 0..<3 {
            for x in 0..<4 {
                for c in 0..<3 {
                    #expect(
                        part.pixels[(y * 4 + x) * 3 + c] == picture.pixels[((y + 2) * 9 + x + 3) * 3 + c])
                }
            }
        }
        #expect(
            try picture.centerCropped(height: 3, width: 4)
                == picture.cropped(top: 1, left: 2, height: 3, width: 4))
        #expect(try picture.cropped(top: 0, left: 0, height: 6, width: 9) == picture)
        for (top, left, height, width) in [
            (-1, 0, 2, 2), (0, 8, 2, 2), (5, 0, 2, 2), (0, 0, 7, 2), (0, 0, 0, 2), (Int.max, Int.max, 1, 1),
        ] {
            #expect(throws: PictureError.self) {
                try picture.cropped(top: top, left: left, height: height, width: width)
            }
        }
        #expect(throws: PictureError.self) { try picture.centerCropped(height: 7, width: 2) }
    }

    @Test func paddingSurroundsThePicture() throws {
        let picture = try numbered(2, 3)
        let color = Picture.Color(red: 1, green: 2, blue: 3)
        let padded = try picture.padded(Padding2D(top: 1, bottom: 2, left: 3, right: 4), color: color)
        #expect(padded.size == Size2D(5, 10))
        #expect(try padded.cropped(top: 1, left: 3, height: 2, width: 3) == picture)
        #expect(Array(padded.pixels.prefix(6)) == [1, 2, 3, 1, 2, 3])
        let border = (0..<5).flatMap { y in (0..<10).map { x in (y, x) } }
            .filter { y, x in !(1...2).contains(y) || !(3...5).contains(x) }
        #expect(
            border.allSatisfy { y, x in Array(padded.pixels[((y * 10 + x) * 3)...].prefix(3)) == [1, 2, 3] })
        #expect(throws: PictureError.self) { try picture.padded(Padding2D(top: -1)) }
        #expect(throws: PictureError.self) { try picture.padded(Padding2D(left: .max)) }
    }

    @Test func resizingOneColourChangesNothing() throws {
        let color = Picture.Color(red: 255, green: 0, blue: 131)
        let picture = try Picture(height: 13, width: 8, color: color)
        for method in Picture.ResizingMethod.allCases {
            for antialias in [true, false] {
                for (height, width) in [(1, 1), (13, 3), (50, 8), (5, 40)] {
                    let resized = try picture.resized(
                        height: height, width: width, method: method, antialias: antialias)
                    #expect(try resized == Picture(height: height, width: width, color: color))
                }
            }
        }
        #expect(throws: PictureError.self) { try picture.resized(height: 0, width: 4) }
        #expect(throws: PictureError.self) { try picture.resized(height: 70_000, width: 4) }
        // Between rows and columns there would be 65,535² pixels.
        let column = try Picture(height: 65_535, width: 1, channels: 1, color: .black)
        #expect(throws: PictureError.self) { try column.resized(height: 65_534, width: 60_000) }
    }

    @Test func filesAreReadWhateverTheirNames() throws {
        let folder = try TemporaryDirectory()
        let picture = try numbered(4, 5)
        let path = try folder.write([UInt8](picture.pngData()), to: "picture.jpg")
        #expect(try Picture.decode(contentsOf: URL(fileURLWithPath: path)) == picture)
        try folder.write([UInt8](picture.pngData().dropLast(30)), to: "cut.jpg")
        try folder.write([], to: "empty.png")
        try folder.write(Array("text".utf8), to: "text.png")
        func error(_ name: String) -> PictureError? {
            #expect(throws: PictureError.self) {
                try Picture.decode(contentsOf: URL(fileURLWithPath: folder.path + "/" + name))
            }
        }
        let cut = try #require(error("cut.jpg"))
        #expect(cut.kind == .truncated && cut.file == folder.path + "/cut.jpg")
        #expect(cut.message.contains("PNG") && cut.message.contains(".jpg"), "\(cut)")
        #expect(error("empty.png")?.kind == .truncated)
        #expect(error("text.png")?.kind == .unknownFormat)
        #expect(error("none.png")?.kind == .missingFile)
        #expect(error("text.png/none.png")?.kind == .missingFile)
        #expect(error("")?.kind == .unreadable)
        #expect(error("")?.message.contains("folder") == true)
        mkfifo(folder.path + "/pipe", 0o600)
        #expect(error("pipe")?.kind == .unreadable)
        // A sparse file.
        truncate(folder.path + "/text.png", Picture.greatestFileByteCount + 1)
        #expect(error("text.png")?.kind == .tooLarge)
        let remote = try #require(URL(string: "https://example.org/a.png"))
        #expect(throws: PictureError.self) { try Picture.decode(contentsOf: remote) }
        if getuid() != 0 {
            chmod(path, 0)
            #expect(error("picture.jpg")?.kind == .unreadable)
        }
    }

    @Test func relativePathsAndTildes() throws {
        let folder = try TemporaryDirectory()
        let picture = try numbered(4, 5)
        try folder.write([UInt8](picture.pngData()), to: "~/small.png")
        let base = URL(fileURLWithPath: folder.path + "/~", isDirectory: true)
        #expect(
            try Picture.decode(contentsOf: URL(fileURLWithPath: "small.png", relativeTo: base)) == picture)
        let error = #expect(throws: PictureError.self) {
            try Picture.decode(contentsOf: URL(fileURLWithPath: "none.png", relativeTo: base))
        }
        #expect(error?.file == folder.path + "/~/none.png")
        #expect(try Picture.decode(contentsOf: folder.path + "/~/small.png") == picture)
        let literal = #expect(throws: PictureError.self) { try Picture.decode(contentsOf: "~/none.png") }
        #expect(literal?.kind == .missingFile && literal?.file == "~/none.png")
    }

    @Test func optionsAreChecked() throws {
        let bytes = try [UInt8](numbered(2, 2).pngData())
        for options in [
            Picture.DecodingOptions(channels: 2), .init(channels: 0), .init(atLeast: Size2D(0, 5)),
            .init(greatestPixelCount: Picture.greatestPixelCount + 1),
        ] {
            let error = #expect(throws: PictureError.self) { try Picture.decode(bytes, options) }
            #expect(error?.kind == .invalidArgument)
        }
    }

    @Test func orientationMayBeLeftAlone() throws {
        let golden = try PictureGolden.shared.get()
        let bytes = try golden.file("png orientation 6")
        let stored = try Picture.decode(bytes, .init(appliesOrientation: false))
        let turned = try Picture.decode(bytes)
        #expect(turned.size == Size2D(stored.width, stored.height))
        // A quarter turn clockwise: the lower left pixel comes first.
        #expect(
            turned.pixels.prefix(3) == stored.pixels[((stored.height - 1) * stored.width * 3)...].prefix(3))
    }

    @Test func threadsDecodeAndResizeAtOnce() async throws {
        let golden = try PictureGolden.shared.get()
        let files = golden.files()
        func results() throws -> [Picture] {
            try files.map { try Picture.decode($0.bytes).resized(height: 9, width: 16, method: .bicubic) }
        }
        let expected = try results()
        try await withThrowingTaskGroup(of: [Picture].self) { group in
            for _ in 0..<8 { group.addTask { try results() } }
            for try await pictures in group { #expect(pictures == expected) }
        }
    }
}
